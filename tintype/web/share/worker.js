// Receives what the house tells while no page is open, and leads to the page when a person taps on it.
"use strict";

const PAGE = "/share";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => event.waitUntil(show(told(event.data))));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});

// A browser may change a subscription on its own; the next visit to the page tells the house, if this does not reach it.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event.oldSubscription)));

function told(data) {
  try {
    return data.json();
  } catch {
    return { title: "Recipes", body: "Something is new in the queue.", url: PAGE };
  }
}

function show(notice) {
  return self.registration.showNotification(notice.title, {
    body: notice.body,
    tag: notice.itemId, // a later end of the same item takes the earlier one's place
    renotify: Boolean(notice.itemId),
    icon: "/share/icon-192.png",
    badge: "/share/badge-96.png",
    image: notice.thumbnail,
    data: { url: own(notice.url) },
  });
}

// Wherever a message says that it leads, a tap stays in this house.
function own(url) {
  const target = new URL(url || PAGE, self.location.origin);
  return target.origin === self.location.origin ? target.href : new URL(PAGE, self.location.origin).href;
}

async function open(url) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => new URL(one.url).pathname === PAGE);
  if (!page) {
    return self.clients.openWindow(url);
  }
  await page.focus();
  return page.navigate(url);
}

async function renew(old) {
  const answer = await fetch("/api/notifications/vapid-key");
  const { publicKey } = await answer.json();
  const options = old ? old.options : { userVisibleOnly: true, applicationServerKey: publicKey };
  const subscription = await self.registration.pushManager.subscribe(options);
  const name = await (await caches.open("names")).match("/share/client");
  const clientId = name ? await name.text() : subscription.endpoint.slice(-100);
  return fetch("/api/notifications/subscribe", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subscription, clientId }),
  });
}
