// Opens the dialog over the page, in a window, or in a frame of the page's own, and hears what it says.

import { FilepickerException, FPError } from "./errors";
import { dialogAddress, type Purpose } from "./options";
import type { Place } from "./place";
import { asFile, type FPFile, type Options, type Progress } from "./words";

export interface Opened<T> extends Promise<T> {
  close(): void;
}

interface Said {
  readonly id: string;
  readonly type: string;
  readonly payload?: unknown;
  readonly error?: { readonly code?: number; readonly hint?: string };
}

interface Stage {
  window(): Window | null;
  ready(): void;
  hide(): void;
  close(): void;
}

export interface Asked {
  readonly purpose: Purpose;
  readonly options: Options;
  readonly more?: Options;
  readonly progress?: Progress | undefined;
}

export function open(place: Place, asked: Asked): Opened<FPFile[]> {
  const id = randomId();
  const closedCode = asked.purpose === "save" ? 131 : 101;
  const failedCode = asked.purpose === "save" ? 132 : 102;
  let stage: Stage | undefined;
  let settle: (outcome: FPFile[] | FPError) => void = () => undefined;
  let busy = false;

  const result = new Promise<FPFile[]>((resolve, reject) => {
    settle = (outcome) => {
      window.removeEventListener("message", hear);
      stage?.close();
      if (outcome instanceof FPError) reject(outcome);
      else resolve(outcome);
    };
  });

  function hear(event: MessageEvent): void {
    if (event.origin !== place.host || !stage || event.source !== stage.window()) return;
    const said = parsed(event.data, id);
    if (!said) return;
    if (said.error) settle(new FPError(said.error.code ?? failedCode, said.error.hint));
    else if (said.type === "filepickerUrl") settle(filesOf(said.payload));
    else if (said.type === "filepickerProgress") asked.progress?.(Number((said.payload as { data?: unknown })?.data ?? 0));
    else if (said.type === "uploading" || said.type === "notUploading") busy = said.type === "uploading" && Boolean(said.payload);
    else if (said.type === "dialogReady") stage.ready();
    else if (said.type === "hideModal") stage.hide();
    else if (said.type === "closeModal") leave(true);
  }

  function leave(force = false): void {
    if (force || !busy || confirm("The photos are still being stored. Stop and close?")) settle(new FPError(closedCode));
  }

  const address = dialogAddress(place, asked.purpose, id, asked.options, asked.more);
  window.addEventListener("message", hear);
  whenThereIsABody(asked.options["container"], () => {
    stage = staged(address, asked.options["container"], leave);
  });
  return Object.assign(result, { close: () => leave(true) });
}

function parsed(data: unknown, id: string): Said | undefined {
  if (typeof data !== "string" || data.length > 1_000_000) return undefined;
  try {
    const said = JSON.parse(data) as Said | null;
    return said && (said.id === id || said.id === `${id}-upload`) && typeof said.type === "string" ? said : undefined;
  } catch {
    return undefined;
  }
}

function filesOf(payload: unknown): FPFile[] {
  const all = (Array.isArray(payload) ? payload : [payload]) as { url: string; data: Options }[];
  return all.map(({ url, data }) => {
    const file = asFile({ ...data, url });
    if (data["id"] !== undefined) file.id = data["id"] as string;
    file.isWriteable = true;
    return file;
  });
}

function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A window opens at once, or the browser takes it for one that nobody asked for.
function whenThereIsABody(container: unknown, then: () => void): void {
  if (document.body || container === "window") then();
  else document.addEventListener("DOMContentLoaded", then, { once: true });
}

function staged(address: string, container: unknown, leave: (force?: boolean) => void): Stage {
  if (container === "window") {
    const opened = inWindow(address, leave);
    if (opened) return opened;
    // Blocked, or cut off by this page's Cross-Origin-Opener-Policy: over the page it works all the same.
    return overPage(address.replace("iframe=false", "iframe=true").replace("container=window", "container=modal"), leave);
  }
  if (container === undefined || container === "modal") return overPage(address, leave);
  const frame = document.getElementById(String(container));
  if (!(frame instanceof HTMLIFrameElement)) {
    throw new FilepickerException(
      `Container "${String(container)}" not found. This should either be set to "window","modal", or the ID of an iframe that is currently in the document.`,
    );
  }
  frame.referrerPolicy = "origin";
  frame.src = address;
  const nothing = (): void => undefined;
  return { window: () => frame.contentWindow, ready: nothing, hide: nothing, close: nothing };
}

function inWindow(address: string, leave: (force?: boolean) => void): Stage | undefined {
  const opened = window.open(address, `filepicker_dialog_${Date.now()}`, "popup,width=840,height=640");
  if (!opened || opened.closed) return undefined;
  const watch = setInterval(() => {
    if (opened.closed) leave(true);
  }, 200);
  return {
    window: () => opened,
    ready: () => undefined,
    hide: () => undefined,
    close: () => {
      clearInterval(watch);
      opened.close();
    },
  };
}

const SHADE: Partial<CSSStyleDeclaration> = {
  position: "fixed",
  inset: "0",
  width: "100%",
  height: "100%",
  maxWidth: "none",
  maxHeight: "none",
  margin: "0",
  padding: "0",
  border: "0",
  background: "rgba(0, 0, 0, .6)",
  overflow: "hidden",
};

const FRAME: Partial<CSSStyleDeclaration> = {
  position: "absolute",
  border: "0",
  background: "Canvas",
  colorScheme: "light dark",
};

const CLOSE: Partial<CSSStyleDeclaration> = {
  position: "absolute",
  top: "12px",
  right: "12px",
  width: "44px",
  height: "44px",
  border: "0",
  borderRadius: "22px",
  background: "#fff",
  color: "#111",
  font: "24px/1 system-ui, sans-serif",
  cursor: "pointer",
  zIndex: "1",
};

function overPage(address: string, leave: (force?: boolean) => void): Stage {
  const shade = document.createElement("dialog");
  const frame = document.createElement("iframe");
  const close = document.createElement("button");
  // Through the style object and never as an attribute, which a strict policy of the page would refuse.
  Object.assign(shade.style, SHADE);
  Object.assign(frame.style, FRAME);
  Object.assign(close.style, CLOSE);
  shade.setAttribute("aria-label", "Photos");
  frame.name = "filepicker_dialog";
  frame.title = "Photos";
  frame.referrerPolicy = "origin";
  frame.src = address;
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  shade.append(close, frame);
  const overflow = document.documentElement.style.overflow;
  const fit = (): void => fitted(frame);
  fit();
  window.addEventListener("resize", fit);
  close.onclick = () => leave();
  shade.onclick = (event) => {
    if (event.target === shade) leave();
  };
  shade.oncancel = (event) => {
    event.preventDefault();
    leave();
  };
  document.body.append(shade);
  document.documentElement.style.overflow = "hidden";
  shade.showModal();
  frame.focus();
  return {
    window: () => frame.contentWindow,
    // The dialog has a button of its own; this one is for when it does not come.
    ready: () => {
      close.hidden = true;
      close.style.display = "none";
    },
    hide: () => {
      shade.style.visibility = "hidden";
    },
    close: () => {
      window.removeEventListener("resize", fit);
      document.documentElement.style.overflow = overflow;
      shade.close();
      shade.remove();
    },
  };
}

function fitted(frame: HTMLIFrameElement): void {
  const small = innerWidth < 700 || innerHeight < 520;
  const width = small ? innerWidth : Math.min(960, innerWidth - 96);
  const height = small ? innerHeight : Math.min(720, innerHeight - 96);
  Object.assign(frame.style, {
    width: `${width}px`,
    height: `${height}px`,
    left: `${(innerWidth - width) / 2}px`,
    top: `${(innerHeight - height) / 2}px`,
    borderRadius: small ? "0" : "12px",
  });
}
