// Keeps the pages that officers take along to a site: the network first, and where there is none, or it does not
// answer soon, what was kept last. The pages fill the cache; what they ask the server themselves is never answered here.
const KEPT = "/window/site/";
const PATIENCE = 8000;
const HASTE = 500;
let patience = PATIENCE; // with the parts of a page: after one that did not come, nobody waits long for each of them

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const opened = request.mode === "navigate";
  if (request.method !== "GET" || !(opened || new URL(request.url).pathname.startsWith("/static/"))) return;
  if (opened) patience = PATIENCE;
  const late = new Promise((_, reject) => setTimeout(reject, patience));
  event.respondWith(Promise.race([fetch(request), late]).catch(() => kept(request, opened)));
});

async function kept(request, opened) {
  if (opened) patience = HASTE;
  const how = { ignoreVary: true, ignoreSearch: true };
  return (await caches.match(request, how)) ?? ((opened && (await caches.match(KEPT, how))) || Response.error());
}
