// Signing in with a certificate: the .p12 is opened here, its key signs here, and neither it nor its password leaves.
// Bundled with pkijs into static/vendor/certificate.js by deploy/assets.mjs. What is sent is a Web eID token.
import { PFX } from "pkijs";

const SHROUDED_KEY = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE = "1.2.840.113549.1.12.10.1.3";
const ENCRYPTED = "1.2.840.113549.1.7.6";
const KINDS = {
  "1.2.840.10045.2.1": { token: "ES256", key: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" } },
  "1.2.840.113549.1.1.1": {
    token: "RS256",
    key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    sign: { name: "RSASSA-PKCS1-v1_5" },
  },
};

const form = document.getElementById("certificate");
const file = document.getElementById("certificate-file");
const password = document.getElementById("certificate-password");
const button = form.querySelector("button");
const problem = document.getElementById("certificate-problem");
const title = document.title;
const utf8 = new TextEncoder();

document.getElementById("certificate-needs-script").hidden = true;
if (globalThis.crypto?.subtle) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    button.disabled = true;
    signIn().catch((reason) => {
      button.disabled = false;
      tell(reason in form.dataset ? reason : "wrong");
    });
  });
} else {
  tell("unsupported");
}

async function signIn() {
  if (!file.files.length) throw "missing";
  const bags = await opened(await file.files[0].arrayBuffer(), utf8.encode(password.value).buffer);
  const origin = location.origin;
  const hashes = await Promise.all([origin, form.elements.challenge.value].map((text) => sha256(utf8.encode(text))));
  const signed = await firstSignature(bags, await new Blob(hashes).arrayBuffer());
  if (!signed) throw "unsuitable";
  const { kind, signature, certificate } = signed;
  form.elements.origin.value = origin;
  form.elements.token.value = JSON.stringify({
    unverifiedCertificate: base64(certificate.toSchema().toBER()),
    unverifiedIntermediates: bags.certificates.filter((each) => each !== certificate).slice(0, 3)
      .map((each) => base64(each.toSchema().toBER())),
    algorithm: kind.token,
    signature: base64(signature),
    format: "web-eid:1.0",
  });
  password.value = file.value = "";
  form.submit();
}

async function opened(bytes, secret) {
  const pfx = PFX.fromBER(bytes);
  // The password is proved by decrypting; the integrity of a file on one's own machine is not what is asked here.
  await pfx.parseInternalValues({ password: secret, checkIntegrity: false });
  const safe = pfx.parsedValue.authenticatedSafe;
  await safe.parseInternalValues({
    safeContents: safe.safeContents.map((each) => (each.contentType === ENCRYPTED ? { password: secret } : {})),
  });
  const bags = safe.parsedValue.safeContents.flatMap((each) => each.value.safeBags);
  const certificates = bags.filter((bag) => bag.bagId === CERTIFICATE).map((bag) => bag.bagValue.parsedValue);
  const shrouded = bags.filter((bag) => bag.bagId === SHROUDED_KEY).map((bag) => bag.bagValue);
  await Promise.all(shrouded.map((bag) => bag.parseInternalValues({ password: secret })));
  return { certificates, keys: shrouded.map((bag) => bag.parsedValue) };
}

// A file may hold several keys and certificates: the first pair that belongs together signs.
async function firstSignature({ keys, certificates }, message) {
  for (const info of keys) {
    const kind = KINDS[info.privateKeyAlgorithm.algorithmId];
    if (!kind) continue;
    try {
      const key = await crypto.subtle.importKey("pkcs8", info.toSchema().toBER(), kind.key, false, ["sign"]);
      const signature = await crypto.subtle.sign(kind.sign, key, message);
      for (const certificate of certificates) {
        if (await belongs(certificate, kind, signature, message)) return { kind, signature, certificate };
      }
    } catch {
      continue; // a curve that browsers do not sign with
    }
  }
  return null;
}

async function belongs(certificate, kind, signature, message) {
  const info = certificate.subjectPublicKeyInfo;
  try {
    const key = await crypto.subtle.importKey("spki", info.toSchema().toBER(), kind.key, false, ["verify"]);
    return await crypto.subtle.verify(kind.sign, key, signature, message);
  } catch {
    return false;
  }
}

function tell(reason) {
  const link = problem.querySelector("a");
  link.textContent = form.dataset[reason];
  link.hash = reason === "wrong" ? "#certificate-password" : "#certificate-file";
  problem.hidden = false;
  document.title = form.dataset.title + title;
  problem.scrollIntoView();
}

function sha256(bytes) {
  return crypto.subtle.digest("SHA-256", bytes);
}

function base64(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)));
}
