// Where the picker's server is, and with which key this page speaks to it: both stand in the address of the script.

export interface Place {
  host: string;
  key: string;
}

function ownScript(): HTMLScriptElement | null {
  const running = document.currentScript;
  if (running instanceof HTMLScriptElement && running.src) return running;
  return document.querySelector<HTMLScriptElement>('script[src*="/filepicker.js"]');
}

export function placeOfScript(): Place {
  const script = ownScript();
  if (!script) return { host: location.origin, key: "" };
  const address = new URL(script.src, location.href);
  return { host: address.origin, key: address.searchParams.get("key") ?? "" };
}

// The handle's own address for addresses of old content hosts, which pages may have kept for years.
const OLD_HOSTS = /^https?:\/\/cdn\.(?:filestackcontent\.com|filepicker\.io)\S*\/([A-Za-z0-9_-]{20,})$/;

export function ownAddress(url: string, host: string): string {
  const handle = OLD_HOSTS.exec(url)?.[1];
  return handle ? `${host}/api/file/${handle}` : url;
}

export function isOwn(url: string, host: string): boolean {
  return url.startsWith(`${host}/api/file/`);
}

export function withoutConversion(url: string): string {
  return url.replace(/\/convert.*$/, "");
}
