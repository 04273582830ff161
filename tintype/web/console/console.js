// Saves people a click; every page works without it.
"use strict";

// A choice that is made takes effect at once, without its button.
for (const select of document.querySelectorAll("select[data-send]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
  const button = select.form.querySelector("button");
  if (button) {
    button.hidden = true;
  }
}

// What cannot be taken back is asked for once more.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask || event.target.dataset.ask;
  if (question && !window.confirm(question)) {
    event.preventDefault();
  }
});

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied || "Copied";
  });
}

// On a narrow screen the menu is a strip that is longer than the screen: begin where one is.
const menu = document.querySelector(".menu");
const here = menu?.querySelector("[aria-current]");
if (here) {
  menu.scrollLeft = here.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2;
}

// On a narrow screen the chapters are folded, so that the text stands at the top.
const fold = document.querySelector(".fold");
if (fold) {
  const narrow = window.matchMedia("(max-width: 48rem)");
  const suit = () => fold.toggleAttribute("open", !narrow.matches);
  narrow.addEventListener("change", suit);
  suit();
}

// Times are drawn in UTC; here they get the reader's own zone, and the full moment stays in the title.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
function tellTimes(place) {
  for (const time of place.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) {
      time.title = time.dateTime;
      time.textContent = format.format(moment);
    }
  }
}
tellTimes(document);

// A page about something that is under way is drawn again until it has ended; never under somebody's hands.
async function follow() {
  const main = document.getElementById("main");
  if (!main?.hasAttribute("data-follow")) {
    return;
  }
  const answer = document.hidden || main.contains(document.activeElement) ? null : await fetch(location.href).catch(() => null);
  if (answer?.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("main");
    if (now && !main.contains(document.activeElement)) {
      main.replaceWith(now);
      tellTimes(now);
    }
  }
  setTimeout(follow, 1500);
}
setTimeout(follow, 1000);
