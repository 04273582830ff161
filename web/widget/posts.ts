// A feed as our server tells it, and what it means when it does not.

export interface Picture {
  readonly id: string;
  readonly mediaType: string;
  readonly mediaUrl: string;
  readonly posterUrl?: string | null;
  readonly altText?: string;
  readonly width?: number;
  readonly height?: number;
  readonly srcset?: Readonly<Record<"avif" | "webp" | "jpeg", string>>;
  readonly placeholder?: { readonly color?: string; readonly thumbhash?: string };
}

export interface Post extends Picture {
  readonly caption: string;
  readonly permalink: string;
  readonly timestamp: string;
  readonly username?: string | null;
  readonly children?: readonly Picture[];
}

export interface Wanted {
  readonly key: string;
  readonly count: number;
  readonly account: string;
}

// Why there is no feed; `again` when the next attempt may fare better.
export class Away extends Error {
  constructor(
    message: string,
    readonly again: boolean,
  ) {
    super(message);
  }
}

const PATIENCE = 20_000; // milliseconds
const OWN = /\S*?(?=\/m\/[0-9a-f]{64}\/)/g;

export async function posts(base: string, wanted: Wanted): Promise<readonly Post[]> {
  const asked = new URLSearchParams({ limit: String(wanted.count) });
  if (wanted.account) asked.set("account", wanted.account);
  const address = `${base}/feeds/${encodeURIComponent(wanted.key)}.json?${asked}`;
  const answer = await answered(address, base, wanted.key);
  if (!answer.ok) throw new Away(await told(answer, wanted.key), answer.status >= 500 || answer.status === 429);
  const feed = (await answer.json()) as { photos: readonly Post[] };
  return feed.photos.filter(isOwn).map((post) => localised(post, base));
}

// A list that a browser kept may show what is hidden since: it is asked anew, and the old one is for bad days.
async function answered(address: string, base: string, key: string): Promise<Response> {
  const fresh = (): Promise<Response> => called(address, { cache: "no-cache" });
  const first = await fresh().catch(nothing);
  if (first && first.status < 500) return first;
  const kept = await called(address, { cache: "force-cache" }).catch(nothing);
  if (kept?.ok) return kept;
  if (first) return first;
  // What a page may not read and what is not there look alike; a call whose answer nobody reads tells them apart.
  if (!(await called(address, { mode: "no-cors" }).catch(nothing))) throw new Away(unreachable(base), true);
  return fresh().catch(() => {
    throw new Away(refused(key), false);
  });
}

function nothing(): undefined {
  return undefined;
}

function called(address: string, more: RequestInit): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  const options: RequestInit = { credentials: "omit", signal: patience.signal, ...more };
  return fetch(address, options).finally(() => clearTimeout(timer));
}

async function told(answer: Response, key: string): Promise<string> {
  const said = (await answer.json().catch(() => ({}))) as { errorMessage?: string };
  if (answer.status === 401) return `the feed key ${key} is not known here, or was revoked`;
  return said.errorMessage ?? `the server answered ${answer.status}`;
}

function refused(key: string): string {
  return `the feed key ${key} may not be used on ${location.origin}: add this origin to the list of the key, or make a key with it`;
}

function unreachable(base: string): string {
  return `${base} was not reached; if it is up, this page's Content-Security-Policy has to allow it under connect-src and img-src`;
}

// Where a copy could not be made, the feed names Instagram's own address; a visitor's browser is not sent there.
function isOwn(one: Picture): boolean {
  return has(one.mediaType === "VIDEO" ? one.posterUrl : one.mediaUrl);
}

export function has(url: string | null | undefined): url is string {
  return url?.match(OWN) !== null && url !== undefined && url !== null;
}

// The server's public name may be another one than that by which this page knows it: one host is enough for a policy.
function localised<P extends Picture>(one: P, base: string): P {
  const here = (text: string): string => text.replace(OWN, (found) => (found ? base : found));
  const srcset = one.srcset && {
    avif: here(one.srcset.avif),
    webp: here(one.srcset.webp),
    jpeg: here(one.srcset.jpeg),
  };
  const children = (one as P & { children?: readonly Picture[] }).children;
  return {
    ...one,
    mediaUrl: here(one.mediaUrl),
    ...(one.posterUrl ? { posterUrl: here(one.posterUrl) } : {}),
    ...(srcset ? { srcset } : {}),
    ...(children ? { children: children.filter(isOwn).map((child) => localised(child, base)) } : {}),
  };
}
