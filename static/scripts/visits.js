// What an officer took along to a site is kept on this device, for that person alone: pages in a cache that carries
// their name, typed answers and photographs in a database. Every page of whoever is signed in sees to it that nobody
// else's pages stay, and that signing out leaves nothing behind.
const NAME = "site-visits";
const SIGNED_IN = document.querySelector("form[data-person]");

export const person = SIGNED_IN?.dataset.person;
export const able = Boolean(person && navigator.serviceWorker && globalThis.caches && globalThis.indexedDB);
export const pages = `${NAME} ${person}`;

export const answer = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const all = (...key) => IDBKeyRange.bound(key, [...key, []]);

// One transaction: it is over when the device has everything on its disk.
export async function within(mode, act) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("visits", { keyPath: ["person", "task"] });
    opening.result.createObjectStore("photos", { keyPath: ["person", "task", "id"] });
  };
  const database = await answer(opening);
  try {
    const transaction = database.transaction(["visits", "photos"], mode, { durability: "strict" });
    const over = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [said] = await Promise.all([act(transaction.objectStore("visits"), transaction.objectStore("photos")), over]);
    return said;
  } finally {
    database.close();
  }
}

export const mine = () => within("readonly", async (visits, photos) => {
  const [kept, taken] = await Promise.all([answer(visits.getAll(all(person))), answer(photos.getAll(all(person)))]);
  return kept.map((visit) => ({ ...visit, photos: taken.filter((photo) => photo.task === visit.task) }));
});

export const unsent = ({ photos, fields }) => photos.length > 0 || Object.values(fields).flat().some((text) => text !== "");

export const drop = (task) => within("readwrite", (visits, photos) => {
  visits.delete([person, task]);
  photos.delete(all(person, task));
});

async function handedIn(task) {
  const visit = (await mine()).find((each) => each.task === task);
  await (await caches.open(pages)).delete(`/window/site/${task}`);
  if (visit?.handed && !visit.photos.length) await drop(task);
}

async function signOut(event) {
  if (!navigator.onLine) return; // nobody is signed out without a network
  event.preventDefault();
  if ((await mine().catch(() => [])).some(unsent) && !confirm(SIGNED_IN.dataset.unsent)) return;
  await within("readwrite", (visits, photos) => {
    visits.delete(all(person));
    photos.delete(all(person));
  }).catch(() => {});
  await caches.delete(pages);
  SIGNED_IN.submit();
}

if (able) {
  SIGNED_IN.addEventListener("submit", signOut);
  const button = document.getElementById("take-along");
  if (button) button.hidden = false;
  for (const name of await caches.keys()) {
    if (name.startsWith(NAME) && name !== pages) await caches.delete(name);
  }
  const done = document.querySelector("[data-done]")?.dataset.done;
  if (done) await handedIn(done);
}
