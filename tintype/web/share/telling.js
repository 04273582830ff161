// Lets a person be told when the page is closed, where the browser can do that.
const WORDS = {
  on: "This browser is told when a recipe is ready.",
  off: "Be told on this device when a recipe is ready, also when this page is closed.",
  denied: "Notifications of this page are blocked in the settings of this browser.",
  unable: "This browser cannot be told. On an iPhone, add the page to the home screen first.",
  insecure: "Notifications need an https address.",
  failed: "That did not work:",
  turn_on: "Turn notifications on",
  turn_off: "Turn notifications off",
};
const box = document.getElementById("notifications");
const button = box.querySelector("button");
const words = box.querySelector("p");

arrange().catch(() => cannot(WORDS.unable));

async function arrange() {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    cannot(window.isSecureContext ? WORDS.unable : WORDS.insecure);
    return;
  }
  const registration = await navigator.serviceWorker.register("/share/worker.js", { scope: "/share" });
  const refresh = async () => {
    const subscription = await registration.pushManager.getSubscription();
    const denied = Notification.permission === "denied";
    say(words, denied ? WORDS.denied : subscription ? WORDS.on : WORDS.off);
    say(button, subscription ? WORDS.turn_off : WORDS.turn_on);
    button.hidden = denied;
    box.hidden = false;
    return subscription;
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const subscription = await registration.pushManager.getSubscription();
      await (subscription ? leave(subscription) : join(registration));
      await refresh();
    } catch (error) {
      await refresh();
      say(words, `${WORDS.failed} ${error.message}`);
    }
    button.disabled = false;
  });
  const subscription = await refresh();
  if (subscription) {
    // The house may have forgotten this browser; without an answer the next visit says it again.
    await tell(await current(registration, subscription)).catch(() => undefined);
  }
}

function cannot(why) {
  say(words, why);
  button.hidden = true;
  box.hidden = false;
}

async function join(registration) {
  if ((await Notification.requestPermission()) !== "granted") {
    return;
  }
  const ready = await active(registration);
  await tell(await ready.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: await key() }));
}

async function leave(subscription) {
  await subscription.unsubscribe();
  await ask("DELETE", { clientId: clientId() });
}

// A subscription hangs on the key it was made with: after a house was set up anew it is made again.
async function current(registration, subscription) {
  const made = subscription.options.applicationServerKey;
  const theirs = await key();
  if (!made || encoded(made) === theirs) {
    return subscription;
  }
  await subscription.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: theirs });
}

async function active(registration) {
  const worker = registration.installing || registration.waiting;
  if (worker && !registration.active) {
    await new Promise((resolve) => worker.addEventListener("statechange", () => registration.active && resolve()));
  }
  return registration;
}

async function tell(subscription) {
  const name = clientId();
  // Where the worker finds it as well, which has no localStorage.
  await (await caches.open("names")).put("/share/client", new Response(name));
  await ask("POST", { subscription: subscription.toJSON(), clientId: name });
}

async function ask(method, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/api/notifications/subscribe", { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) {
    throw new Error((await answer.json()).message);
  }
}

async function key() {
  return (await (await fetch("/api/notifications/vapid-key")).json()).publicKey;
}

function clientId() {
  const known = localStorage.getItem("client") || crypto.randomUUID();
  localStorage.setItem("client", known);
  return known;
}

function encoded(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function say(element, words) {
  element.textContent = words;
}
