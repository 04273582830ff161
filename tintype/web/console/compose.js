// Shows what is being composed in Instagram's shapes, counts as one types, and asks the house what stands against it.
"use strict";

const form = document.getElementById("composer");
if (form) {
  const stage = document.getElementById("stage");
  const caption = document.getElementById("caption");
  const counter = document.getElementById("counter");
  const files = document.getElementById("files");
  const product = document.getElementById("product");
  const shapes = { reel: 9 / 16, story: 9 / 16 };
  let shown = 0;
  let asked = 0;

  const zone = document.getElementById("timezone");
  if (!zone.value) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  }

  const media = () => [
    ...[...form.querySelectorAll(".pieces img, .pieces video")].map((one) => ({ src: one.src, video: one.tagName === "VIDEO" })),
    ...[...files.files].map((file) => ({ src: address(file), video: file.type.startsWith("video/") })),
  ];

  const addresses = new WeakMap();
  function address(file) {
    if (!addresses.has(file)) {
      addresses.set(file, URL.createObjectURL(file));
    }
    return addresses.get(file);
  }

  function draw() {
    const all = media();
    shown = Math.min(shown, Math.max(0, all.length - 1));
    stage.dataset.fit = document.getElementById("fit").value;
    stage.dataset.kind = product.value;
    const one = all[shown];
    if (!one) {
      stage.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet", textContent: "Choose a picture to see it here." }));
    } else {
      const element = document.createElement(one.video ? "video" : "img");
      element.src = one.src;
      if (one.video) {
        element.muted = true;
        element.controls = true;
        element.addEventListener("loadedmetadata", () => {
          element.currentTime = Number(document.getElementById("thumb").value.replace(",", ".")) || 0;
          shape(element.videoWidth, element.videoHeight);
        });
      } else {
        element.alt = "";
        element.addEventListener("load", () => shape(element.naturalWidth, element.naturalHeight));
      }
      stage.replaceChildren(element);
    }
    dots(all.length);
  }

  // Instagram shows feed pictures from 4:5 to 1.91:1; what is beyond is padded or cut, as was chosen.
  function shape(width, height) {
    const ratio = shapes[product.value] || Math.min(1.91, Math.max(0.8, width / height));
    stage.style.aspectRatio = String(ratio);
  }

  function dots(count) {
    const line = document.getElementById("dots");
    line.hidden = count < 2;
    line.replaceChildren(
      ...Array.from({ length: count }, (_, place) => {
        const dot = document.createElement("button");
        dot.type = "button";
        dot.className = "small";
        dot.textContent = String(place + 1);
        dot.setAttribute("aria-pressed", String(place === shown));
        dot.addEventListener("click", () => {
          shown = place;
          draw();
        });
        return dot;
      }),
    );
  }

  function count() {
    const text = caption.value;
    const tags = (text.match(/#[\p{L}\p{N}_]+/gu) || []).length;
    const names = (text.match(/(?<![\w.])@[\w.]+/g) || []).length;
    const { characters, hashtags, mentions } = caption.dataset;
    const long = [...text].length;
    counter.textContent = `${long} of ${characters} characters, ${tags} of ${hashtags} hashtags, ${names} of ${mentions} mentions`;
    counter.classList.toggle("bad", long > characters || tags > hashtags || names > mentions);
    document.getElementById("preview-caption").textContent = text;
  }

  async function ask() {
    const turn = ++asked;
    const data = new FormData(form);
    data.delete("files");
    const answer = await fetch("/console/publish/problems", { method: "POST", body: data }).catch(() => null);
    if (answer && answer.ok && turn === asked) {
      document.getElementById("problems").innerHTML = await answer.text();
    }
  }

  let timer = 0;
  form.addEventListener("input", (event) => {
    count();
    if (event.target === files && product.value === "image" && files.files.length > 1) {
      product.value = "carousel";
    }
    if (event.target === files && product.value === "image" && files.files[0]?.type.startsWith("video/")) {
      product.value = "reel";
    }
    if (["files", "fit", "product", "thumb_seconds"].includes(event.target.name)) {
      draw();
    }
    clearTimeout(timer);
    timer = setTimeout(ask, 400);
  });
  form.elements.account_id.addEventListener("change", (event) => {
    document.getElementById("preview-name").textContent = event.target.selectedOptions[0].textContent;
  });
  form.addEventListener("submit", (event) => {
    // The button's own word is already part of what is sent; a second click sends nothing more.
    setTimeout(() => event.submitter && (event.submitter.disabled = true));
  });
  count();
  draw();
}
