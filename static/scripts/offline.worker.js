// Keeps the offline verification page: the network first, and where there is none what was kept last.
// The page itself fills the cache. Whatever else is opened under /verify/ without a network, such as the address
// in a QR code, is answered with that page, which then reads the code behind the `#`.
const PAGE = "/verify/offline";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(fetch(event.request).catch(() => kept(event.request)));
});

async function kept(request) {
  const found = await caches.match(request, { ignoreVary: true });
  if (found) return found;
  return (request.mode === "navigate" && (await caches.match(PAGE, { ignoreVary: true }))) || Response.error();
}
