// Keeps the queue's rows current. Without it the page still works: "Look again" does the same.
const ENDS = ["success", "error", "unhealthy"];
const MOST = 100;
const WORDS = { live: "Updated as it happens.", lost: "Not connected; trying again." };
const list = document.getElementById("queue");
const live = document.getElementById("live");
const drawing = new Map(); // ids of rows that are being fetched, and whether they changed meanwhile

watch();

function watch() {
  const stream = new EventSource("/api/queue/stream");
  stream.addEventListener("connection", () => connected());
  stream.addEventListener("queue-update", (event) => changed(JSON.parse(event.data)));
  stream.addEventListener("reset", () => redraw()); // away for too long: what was missed is not replayed any more
  stream.addEventListener("queue-removed", (event) => place(JSON.parse(event.data).itemId, null));
  stream.addEventListener("error", () => say(live, WORDS.lost));
}

// The stream tells of what is on its way; what came to its end between the drawing of the page and now is looked at once.
function connected() {
  say(live, WORDS.live);
  for (const row of list.children) {
    if (!ENDS.includes(row.dataset.status)) {
      draw(row.id.replace("item-", ""));
    }
  }
}

function changed(update) {
  const row = document.getElementById(`item-${update.itemId}`);
  if (!row || row.dataset.status !== update.status || ENDS.includes(update.status)) {
    draw(update.itemId);
    return;
  }
  for (const phase of update.progress || []) {
    const bar = row.querySelector(`progress[data-phase="${phase.name}"]`);
    if (bar) {
      bar.value = phase.progress || 0;
    }
  }
}

// Rows come drawn from the house. One that changes while it is being fetched is fetched once more.
async function draw(id) {
  if (drawing.has(id)) {
    drawing.set(id, true);
    return;
  }
  drawing.set(id, false);
  try {
    const answer = await fetch(`/share/items/${encodeURIComponent(id)}`, { credentials: "same-origin" });
    place(id, answer.ok ? await answer.text() : null);
  } catch {
    say(live, WORDS.lost);
  }
  const again = drawing.get(id);
  drawing.delete(id);
  if (again) {
    draw(id);
  }
}

async function redraw() {
  const answer = await fetch("/share", { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  list.replaceChildren(...(page.getElementById("queue")?.children ?? []));
}

function place(id, html) {
  const row = document.getElementById(`item-${id}`);
  if (html === null) {
    row?.remove();
    return;
  }
  const drawn = document.createRange().createContextualFragment(html).firstElementChild;
  if (row) {
    row.replaceWith(drawn);
  } else {
    list.prepend(drawn);
    [...list.children].slice(MOST).forEach((one) => one.remove());
  }
  document.getElementById("empty")?.remove();
}

function say(element, words) {
  element.textContent = words;
}
