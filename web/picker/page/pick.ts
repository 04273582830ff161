// Which items are chosen, in the order in which they were, across albums, searches and accounts. No page in it.

import type { Chosen, Item } from "./given";

export interface Choice {
  readonly account: string;
  readonly item: Item;
}

export function keyOf(account: string, item: Item): string {
  return `${account}/${item.media}/${item.child ?? ""}`;
}

export class Picked {
  private readonly choices = new Map<string, Choice>();
  readonly done = new Map<string, Chosen>();

  constructor(readonly most: number) {}

  get size(): number {
    return this.choices.size;
  }

  get full(): boolean {
    return this.choices.size >= this.most;
  }

  has(account: string, item: Item): boolean {
    return this.choices.has(keyOf(account, item));
  }

  // Tells whether that could be done: there is a most, and where it is one, the next takes the place of the last.
  toggle(account: string, item: Item): boolean {
    const key = keyOf(account, item);
    if (this.choices.delete(key)) return true;
    if (this.most === 1) this.choices.clear();
    if (this.full) return false;
    this.choices.set(key, { account, item });
    return true;
  }

  drop(key: string): void {
    this.choices.delete(key);
  }

  clear(): void {
    this.choices.clear();
  }

  inAlbum(account: string, album: Item): number {
    return (album.children ?? []).filter((child) => this.has(account, child)).length;
  }

  list(): [string, Choice][] {
    return [...this.choices];
  }
}
