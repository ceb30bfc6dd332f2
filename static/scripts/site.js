// A visit at a site without a network: the form and photographs are kept on this device as they come, and handed in
// later, photographs first. The page keeps itself; site.worker.js opens it where there is no network.
import { able, answer, drop, mine, pages, person, unsent, within } from "./visits.js";

const KEPT = "/window/site/";
const MAGIC = { pdf: "%PDF-", png: "\x89PNG\r\n\x1a\n", jpg: "\xff\xd8\xff", jpeg: "\xff\xd8\xff" };
// Refusals of the server that its own page explains: sign in, not yours, no longer there, done or held meanwhile.
const EXPLAINED = new Set([401, 403, 404, 409]);

const by = (id) => document.getElementById(id);
const current = async () => (await mine()).find((each) => each.task === task);
const words = JSON.parse(by("words").textContent);
const visit = by("visit");
const { task, title } = visit?.dataset ?? {};
const form = by("answers");
const button = by("hand-in"); // only where the task may be done
const changed = new Set(); // names of what was typed and is not on the disk yet
let kept = false;
let lost = false;
let doing = "";

if (able) {
  by("needs-script").hidden = true;
  begin().catch(() => { by("needs-script").hidden = false; }); // such as a browser that keeps nothing in private
}

async function begin() {
  navigator.storage?.persist?.();
  if (button) {
    await change((visits, found) => visits.put(found));
    addEventListener("online", tell);
    addEventListener("offline", tell);
    button.addEventListener("click", () => doing || handIn());
  }
  if (visit) {
    const found = await current();
    if (found) restore(found.fields);
    visit.hidden = !found;
    form.addEventListener("input", ({ target }) => save(target.name));
    form.addEventListener("submit", (event) => event.preventDefault());
    by("photo")?.addEventListener("change", take);
  }
  await draw();
  await look();
  await keep().catch(() => { lost = !kept; });
  await look();
}

async function look() {
  kept = Boolean(await caches.match(location.pathname, { cacheName: pages, ignoreVary: true }));
  tell();
}

// What is there already stays: another window may have written it.
function change(act) {
  const fresh = { person, task, title, handed: false, fields: {} };
  return within("readwrite", async (visits) => act(visits, (await answer(visits.get([person, task]))) ?? fresh));
}

async function keep() {
  await navigator.serviceWorker.register(`${KEPT}worker.js`, { scope: KEPT });
  await navigator.serviceWorker.ready;
  if (!navigator.onLine) return;
  const cache = await caches.open(pages);
  if (visit && !button) await cache.delete(location.pathname);
  for (const page of button ? [KEPT, location.pathname] : [KEPT]) {
    const reply = await fetch(page);
    const whose = await reply.clone().text();
    if (reply.ok && whose.includes(`data-person="${person}"`)) await cache.put(page, reply);
  }
  const parts = performance.getEntriesByType("resource").map((each) => new URL(each.name));
  for (const part of parts.filter((each) => each.origin === location.origin && each.pathname.startsWith("/static/"))) {
    await cache.add(part.pathname);
  }
}

function restore(fields) {
  for (const [name, values] of Object.entries(fields)) {
    for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (["radio", "checkbox"].includes(field.type)) field.checked = values.includes(field.value);
      else field.value = values[0];
    }
  }
  bringUp();
}

// Which answers bring a question up the server has tried; what is hidden stays as it was typed.
function bringUp() {
  const given = new FormData(form);
  for (const part of form.querySelectorAll("[data-when]")) {
    part.hidden = !JSON.parse(part.dataset.values).includes(given.get(`answers.${part.dataset.when}`) ?? "");
  }
}

async function save(name) {
  bringUp();
  const given = new FormData(form);
  const names = [...changed.add(name)];
  const fields = Object.fromEntries(names.map((each) => [each, given.getAll(each)]));
  changed.clear();
  lost = false;
  try {
    await change((visits, found) => visits.put({ ...found, handed: false, fields: { ...found.fields, ...fields } }));
  } catch {
    names.forEach((each) => changed.add(each)); // tried again with whatever is typed next
    lost = true;
  }
  tell();
}

async function take() {
  const files = [...by("photo").files];
  by("photo").value = "";
  by("trouble").replaceChildren();
  for (const file of files) {
    const why = await put(file).catch(() => words.unsaved);
    if (why) complain(`${file.name}${words.colon}${why}`);
  }
  await draw();
}

async function put(file) {
  const why = await fault(file);
  if (why) return words.why[why];
  const content = new Blob([await file.arrayBuffer()], { type: file.type });
  const photo = { person, task, id: `${new Date().toISOString()} ${crypto.randomUUID()}`, name: file.name, content };
  await within("readwrite", (_, photos) => photos.put(photo));
}

// As the server would say it, in its order and its words; what only opening a file tells, it says later.
async function fault(file) {
  const magic = MAGIC[file.name.toLowerCase().split(".").pop()];
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 8).arrayBuffer()));
  if (!file.size) return "empty";
  if (file.size > Number(visit.dataset.largest)) return "too-large";
  if (!magic || !head.startsWith(magic)) return "wrong-type";
  return (await current()).photos.length < Number(visit.dataset.room) ? "" : "too-many";
}

async function handIn() {
  by("trouble").replaceChildren();
  try {
    await send();
  } catch {
    complain(words.unreached);
  }
  doing = "";
  await draw();
  tell();
}

async function send() {
  doing = words.sending;
  const reply = await fetch(location.pathname);
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  if (EXPLAINED.has(reply.status)) return location.reload();
  const theirs = page.querySelector("form[data-person]")?.dataset.person;
  if (!reply.ok || !theirs) throw new Error("no page of ours");
  if (theirs !== person) return complain(words.another);
  // The token of the kept page may be that of a session that is over.
  const token = page.querySelector("[name=csrf_token]").value;
  visit.dataset.room = page.getElementById("visit").dataset.room;
  const { photos } = await current();
  for (const [number, photo] of photos.entries()) {
    doing = words.sending.replace("{number}", number + 1).replace("{count}", photos.length);
    tell();
    const refused = await refusal(photo, token);
    if (EXPLAINED.has(refused?.status)) return location.reload();
    if (refused) complain(`${photo.name}${words.colon}${refused.missing?.[0].words ?? refused.title}`);
  }
  const left = await current();
  if (left.photos.length) return;
  await change((visits, found) => visits.put({ ...found, handed: true }));
  restore(Object.fromEntries(Object.entries(left.fields).filter(([name]) => !changed.has(name))));
  form.elements.csrf_token.value = token;
  form.submit();
}

// Only once the server says that it has this very photograph is it taken off the device; sent again, it is not put twice.
async function refusal(photo, token) {
  const body = new FormData();
  body.append("csrf_token", token);
  body.append("done_token", photo.id);
  body.append("file", photo.content, photo.name);
  const headers = { Accept: "application/problem+json, application/json" };
  const reply = await fetch(`${form.action}/evidence`, { method: "POST", body, headers });
  const said = await reply.json();
  if (!reply.ok || said.kept !== photo.id) return said;
  await within("readwrite", (_, photos) => photos.delete([person, task, photo.id]));
}

function tell() {
  const where = navigator.onLine ? words.ready : words.offline;
  const said = doing || (lost && words.unsaved) || (kept ? `${words.saved} ${where}` : words.keeping);
  if (button && by("state").textContent !== said) by("state").textContent = said;
}

function complain(text) {
  const line = by("trouble").appendChild(document.createElement("p"));
  line.className = "wrong";
  line.textContent = text;
}

async function draw() {
  const visits = await mine();
  const photos = visits.find((each) => each.task === task)?.photos ?? [];
  by("photos")?.replaceChildren(...photos.map(photoRow));
  by("visits").replaceChildren(...visits.map(visitRow));
  by("kept-here").hidden = !visits.length;
  if (!visit && !visits.length) by("state").textContent = words.nothing;
}

function row(id, text, act) {
  const made = by(id).content.firstElementChild.cloneNode(true);
  made.querySelector("button span").textContent = `${words.colon}${text}`;
  made.querySelector("button").addEventListener("click", act);
  return made;
}

function photoRow({ id, name, content }) {
  const made = row("photo-row", name, async () => {
    if (!confirm(words.remove)) return;
    await within("readwrite", (_, photos) => photos.delete([person, task, id]));
    await draw();
    by("photo")?.focus();
  });
  made.querySelector("bdi").textContent = name;
  sketch(made.querySelector("canvas"), content).catch(() => {}); // a paper has no picture
  return made;
}

async function sketch(canvas, content) {
  const picture = await createImageBitmap(content, { resizeWidth: 160 });
  Object.assign(canvas, { width: picture.width, height: picture.height }).getContext("2d").drawImage(picture, 0, 0);
}

function visitRow(each) {
  const made = row("visit-row", each.title, async () => {
    if (unsent(each) && !confirm(words.discard)) return;
    await drop(each.task);
    if (each.task === task) return location.reload();
    await (await caches.open(pages)).delete(KEPT + each.task);
    await draw();
    by("kept").focus();
  });
  made.querySelector("a").href = KEPT + each.task;
  made.querySelector("a").textContent = each.title;
  made.querySelector(".hint").textContent = unsent(each) ? words.unsent.replace("{count}", each.photos.length) : words.sent;
  return made;
}
