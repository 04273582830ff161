// The posts of one account, page by page. Pages that repeat themselves end the list instead of going round for ever.

import type { Item } from "./given";
import { keyOf } from "./pick";
import type { Server } from "./server";

interface Answer {
  readonly items: readonly Item[];
  readonly after: string | null;
}

export class Listing {
  private readonly cursors = new Set<string>();
  private readonly known = new Set<string>();
  private after: string | null = null;
  private begun = false;

  constructor(
    private readonly server: Server,
    readonly account: string,
    readonly search: string,
  ) {}

  get isOver(): boolean {
    return this.begun && this.after === null;
  }

  async next(): Promise<readonly Item[]> {
    const query = { account: this.account, after: this.after, q: this.search };
    const answer = await this.server.get<Answer>("/dialog/media", query);
    this.begun = true;
    const fresh = answer.items.filter((item) => !this.known.has(keyOf(this.account, item)));
    fresh.forEach((item) => this.known.add(keyOf(this.account, item)));
    const stuck = answer.after !== null && (this.cursors.has(answer.after) || (answer.items.length > 0 && !fresh.length));
    this.after = stuck ? null : answer.after;
    if (this.after) this.cursors.add(this.after);
    return fresh;
  }
}
