// What the server gave the page: the secret of the dialog, what may be chosen, and the words of the language.

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
}

export interface Given {
  readonly secret: string;
  readonly id: string;
  readonly origin: string;
  readonly purpose: "open" | "save";
  readonly isWindow: boolean;
  readonly many: boolean;
  readonly most: number;
  readonly pictures: boolean;
  readonly videos: boolean;
  readonly storing: boolean;
  readonly url: string | null;
  readonly connect: string;
  readonly accounts: readonly Account[];
  readonly site: string;
  readonly app: string;
  readonly words: Readonly<Record<string, string>>;
  readonly language: string;
}

export interface Refused {
  readonly id: string;
  readonly origin: string | null;
  readonly code: number;
  readonly hint: string;
  readonly isWindow: boolean;
}

export interface Item {
  readonly media: string;
  readonly child?: string;
  readonly kind: "IMAGE" | "VIDEO" | "CAROUSEL_ALBUM";
  readonly caption: string;
  readonly alt: string;
  readonly at: string;
  readonly choosable: boolean;
  readonly thumb: string | null;
  readonly children?: readonly Item[];
}

export interface Chosen {
  readonly url: string;
  readonly data: Readonly<Record<string, unknown>>;
}

// Read once and taken out of the page: nothing that comes into it later finds the secret there.
export function taken<T>(id: string): T | null {
  const element = document.getElementById(id);
  if (!element) return null;
  const read = JSON.parse(element.textContent ?? "null") as T;
  element.remove();
  return read;
}
