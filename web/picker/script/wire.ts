// Calls to the server. XMLHttpRequest, because nothing else tells how much of an upload has gone.

import { codeOf, FPError, type Codes } from "./errors";
import type { Options, Progress } from "./words";

export interface Asking {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly codes: Codes;
  readonly query?: Options | undefined;
  readonly body?: FormData | URLSearchParams | Blob | string | undefined;
  readonly type?: string | undefined;
  readonly answer?: "json" | "arraybuffer" | "text" | undefined;
  readonly progress?: Progress | undefined;
  readonly withCookies?: boolean | undefined;
}

export function withQuery(url: string, query: Options): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  if (!parts.length) return url;
  return url + (url.includes("?") ? "&" : "?") + parts.join("&");
}

export function form(values: Options): URLSearchParams {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) made.set(name, String(value));
  }
  return made;
}

export function ask<T>(asking: Asking): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(asking.method, withQuery(asking.url, { ...asking.query, plugin: "js_lib" }));
    request.responseType = asking.answer ?? "json";
    request.withCredentials = asking.withCookies ?? false;
    if (asking.type) request.setRequestHeader("Content-Type", asking.type);
    follow(request, asking);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        asking.progress?.(100);
        resolve(request.response as T);
      } else {
        void hintOf(request).then((hint) => reject(new FPError(codeOf(request.status, asking.codes), hint)));
      }
    };
    request.onerror = () => {
      const host = new URL(asking.url, location.href).host;
      reject(new FPError(asking.codes.notFound === 115 ? 114 : asking.codes.other, `${host} could not be reached from this page.`));
    };
    request.send(asking.body ?? null);
  });
}

function follow(request: XMLHttpRequest, asking: Asking): void {
  const { progress } = asking;
  if (!progress) return;
  // Watching an upload makes the browser ask for permission first, so it is only done for those who want to know.
  const side = asking.body === undefined ? request : request.upload;
  side.onprogress = (event) => {
    if (event.lengthComputable) progress(Math.round((event.loaded / event.total) * 95));
  };
}

async function hintOf(request: XMLHttpRequest): Promise<string> {
  try {
    const sent: unknown = request.response;
    const raw = sent instanceof ArrayBuffer ? new TextDecoder().decode(sent) : sent;
    const read = (typeof raw === "string" ? JSON.parse(raw) : raw) as { error?: { message?: string; hint?: string } } | null;
    return [read?.error?.message, read?.error?.hint].filter(Boolean).map(sentence).join(" ");
  } catch {
    return "";
  }
}

function sentence(text: string | undefined): string {
  const said = text ?? "";
  return said.charAt(0).toUpperCase() + said.slice(1) + (/[.!?]$/.test(said) ? "" : ".");
}
