// Verifying a licence without a network: the code of its QR code against the kit that was fetched last.
// The same questions, in the same order, as certificates/offline/verification.py; nothing leaves the page.
import jsQR from "jsqr";

const PAGE = "/verify/offline";
const KIT = "/verify/kit.json";
const KEPT = "offline-verification";
const LONGEST = 4096;
const LARGEST_LIST = 64 * 1024 * 1024;
const QUESTIONS = new Map([
  [3, "not_superseded"], [1, "not_revoked"], [12, "not_rescinded"], [13, "not_cancelled"], [2, "not_suspended"],
]);
// The gravest no is told first, as in certificates/checks.py.
const VERDICTS = [
  ["unreadable", ["readable"]], ["foreign", ["sealed_by_entitled_department", "seal_not_revoked"]],
  ["tampered", ["seal_intact"]], ["revoked", ["not_revoked"]], ["rescinded", ["not_rescinded"]],
  ["cancelled", ["not_cancelled"]], ["superseded", ["not_superseded"]], ["suspended", ["not_suspended"]],
  ["expired", ["not_expired"]], ["not_yet_valid", ["begun"]],
];
const ECDSA = { name: "ECDSA", hash: "SHA-256" };
const CURVE = { name: "ECDSA", namedCurve: "P-256" };

const by = (id) => document.getElementById(id);
const words = JSON.parse(by("words").textContent);
const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });
let kit = null;

by("needs-script").hidden = true;
if (globalThis.crypto?.subtle && globalThis.DecompressionStream) {
  by("ways").hidden = false;
  begin();
} else {
  by("unsupported").hidden = false;
}

async function begin() {
  by("picture").addEventListener("change", () => by("picture").files.length && scan(by("picture").files[0]));
  by("typed").addEventListener("submit", (event) => { event.preventDefault(); tell(by("code").value); });
  addEventListener("hashchange", () => location.hash && tell(location.href));
  await keep().catch(() => {});
  await fetched();
  if (location.hash.length > 1) tell(location.href);
}

async function keep() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/verify/worker.js", { scope: "/verify/" });
  if (!navigator.onLine) return;
  const cache = await caches.open(KEPT);
  // The page as nobody in particular sees it: what is kept on a shared machine names nobody.
  const page = await fetch(PAGE, { credentials: "omit", headers: { "Accept-Language": document.documentElement.lang } });
  if (page.ok) await cache.put(PAGE, page);
  const parts = performance.getEntriesByType("resource").map((each) => new URL(each.name));
  for (const part of parts.filter((each) => each.origin === location.origin && each.pathname.startsWith("/static/"))) {
    await cache.add(part.pathname);
  }
}

async function fetched() {
  let reply = await fetch(KIT, { cache: "no-cache", credentials: "omit" }).catch(() => null);
  if (reply?.ok) {
    await globalThis.caches?.open(KEPT).then((cache) => cache.put(KIT, reply.clone())).catch(() => {});
  } else {
    reply = await globalThis.caches?.match(KIT);
  }
  kit = reply ? await reply.json() : null;
  by("no-kit").hidden = kit !== null;
  if (!kit) return;
  const ends = Object.values(kit.lists).map((list) => JSON.parse(text.decode(unb64(list.split(".")[1]))).exp);
  by("kit").hidden = false;
  by("kit-ends").textContent = ends.length ? new Date(Math.min(...ends) * 1000).toLocaleString(document.documentElement.lang) : "—";
  by("kit-root").textContent = await fingerprint(kit.root);
}

async function fingerprint(pem) {
  const der = Uint8Array.from(atob(pem.replace(/-----[^-]+-----|\s/g, "")), (each) => each.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return [...hash].map((each) => each.toString(16).padStart(2, "0")).join("");
}

async function scan(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  for (const widest of picture ? [1200, 2400, 800, 4000] : []) {
    const scale = Math.min(1, widest / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    const drawing = canvas.getContext("2d");
    drawing.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const found = jsQR(drawing.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height);
    if (found?.data) return tell(found.data);
  }
  show("unreadable", [{ question: "readable", holds: false }], null);
}

async function tell(given) {
  try {
    const { checks, code, seal } = await verify(given);
    const denied = new Set(checks.filter((each) => each.holds === false).map((each) => each.question));
    const worst = VERDICTS.find(([, questions]) => questions.some((each) => denied.has(each)));
    const outcome = worst ? worst[0] : checks.every((each) => each.holds) ? "valid" : "unverifiable";
    show(outcome, checks, checks[0].holds && seal ? { ...code, issuer: seal.name } : null);
  } catch {
    show("unreadable", [{ question: "readable", holds: false }], null);
  }
}

async function verify(given) {
  const jws = read(given.trim().slice(0, LONGEST).split("#").pop());
  const code = jws.payload;
  const place = code.at;
  if (jws.header.alg !== "ES256" || jws.header.typ !== "licence+jwt" || !Number.isSafeInteger(place) || place < 0) throw "form";
  const [, , , , , type, issuer, serial, version] = code.id.split(".");
  if (!type || !version) throw "form";
  const seal = kit?.seals.find((each) => each.kid === jws.header.kid);
  const checks = [];
  const ask = (question, holds) => checks.push({ question, holds });
  ask("seal_intact", seal ? await signed(jws, seal) : null);
  ask("sealed_by_entitled_department", seal ? seal.owner === issuer : null);
  ask("seal_not_revoked", seal ? good(seal, code.iat) : null);
  const list = await statuses(issuer).catch(() => null);
  ask("status_current", list ? true : null);
  const status = list ? ((list[place >> 1] ?? 0) >> (place % 2 ? 4 : 0)) & 15 : null;
  for (const [failing, question] of QUESTIONS) {
    ask(question, list ? (status === 0 || QUESTIONS.has(status)) && status !== failing : null);
  }
  const today = legalDay();
  ask("begun", code.from <= today);
  ask("not_expired", !code.to || code.to >= today);
  return { checks, seal, code: { ...code, number: serial } };
}

// Yes or no as trust.py says it of a seal's certificate; null when the revocation list was over by then.
function good(seal, at) {
  if (at < seal.terms[0] || at > seal.terms[1] || (seal.withdrawn && seal.withdrawn <= at)) return false;
  return at <= seal.known_until ? true : null;
}

function legalDay() {
  // By its parts, because how a locale writes a short date has changed before.
  const asked = { timeZone: words.zone, calendar: "gregory", numberingSystem: "latn", year: "numeric", month: "2-digit", day: "2-digit" };
  const said = new Intl.DateTimeFormat("en", asked).formatToParts(new Date());
  return ["year", "month", "day"].map((part) => said.find((each) => each.type === part).value).join("-");
}

async function statuses(issuer) {
  const jwt = read(kit.lists[issuer]);
  const seal = kit.seals.find((each) => each.x5c[0] === jwt.header.x5c[0]);
  const { iat, exp, status_list: list } = jwt.payload;
  if (jwt.header.alg !== "ES256" || jwt.header.typ !== "statuslist+jwt" || seal?.owner !== issuer) throw "list";
  // When it was signed is its own word: the seal is asked about today too.
  const now = Date.now() / 1000;
  if (!good(seal, iat) || !good(seal, now)) throw "list";
  if (!(await signed(jwt, seal)) || now >= exp || list.bits !== 4) throw "list";
  const parts = new Blob([unb64(list.lst)]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const found = [];
  let length = 0;
  for (let part = await parts.read(); !part.done; part = await parts.read()) {
    found.push(part.value);
    length += part.value.length;
    if (length > LARGEST_LIST) throw "list";
  }
  return new Uint8Array(await new Blob(found).arrayBuffer());
}

async function signed(jws, seal) {
  const key = await crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", x: seal.x, y: seal.y }, CURVE, false, ["verify"]);
  return crypto.subtle.verify(ECDSA, key, jws.signature, utf8.encode(jws.input));
}

function read(given) {
  const [header, payload, signature, ...more] = given.split(".");
  if (more.length) throw "form";
  return {
    header: JSON.parse(text.decode(unb64(header))),
    payload: JSON.parse(text.decode(unb64(payload))),
    signature: unb64(signature),
    input: `${header}.${payload}`,
  };
}

function unb64(given) {
  if (!/^[\w-]*$/.test(given)) throw "form";
  return Uint8Array.from(atob(given.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
}

function show(outcome, checks, licence) {
  const [title, advice] = words.outcomes[outcome];
  by("outcome").textContent = title;
  by("advice").textContent = advice;
  by("verdict").className = `verdict ${outcome === "valid" ? "holds" : "fails"}`;
  by("checks").replaceChildren(...checks.map(({ question, holds }) => {
    const [kind, answer] = holds ? ["yes", words.yes] : holds === null ? ["open", words.open] : ["no", words.no];
    const line = document.createElement("li");
    const mark = line.appendChild(document.createElement("b"));
    mark.className = kind;
    mark.textContent = answer;
    line.appendChild(document.createElement("span")).textContent = words.questions[question];
    return line;
  }));
  by("licence").hidden = !licence;
  for (const [id, said] of licence ? [
    ["what", licence.what], ["number", licence.number], ["identifier", licence.id], ["who", licence.who],
    ["issuer", licence.issuer], ["on", licence.on], ["from", licence.from], ["to", licence.to ?? words.endless],
  ] : []) by(id).textContent = said;
  by("result").hidden = false;
  by("outcome").focus();
}
