// Connecting an account: a window is opened, and the server is asked how it went. The window itself may be out of reach.

import type { Account } from "./given";
import type { Server } from "./server";

export interface Standing {
  readonly accounts: readonly Account[];
  readonly attempt: string | null;
  readonly connecting: boolean;
  readonly code: string | null;
  readonly trouble: { readonly code: string; readonly message: string } | null;
}

const EVERY = 1000;
const MOST = 600; // ten minutes, as long as Instagram's answer is waited for

export class Connecting {
  private code: string | null = null;
  private attempt: string | null = null;
  private before: string | null = null;
  private timer = 0;
  private turns = 0;
  private over = 0;

  constructor(
    private readonly server: Server,
    private readonly address: string,
    private readonly heard: (standing: Standing, isOver: boolean) => void,
  ) {
    addEventListener("message", (event) => void this.answer(event));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.timer) this.ask();
    });
  }

  // In the click itself, or the browser takes the window for one that nobody asked for. Two clicks share a window, two attempts do
  // not: the window of one that is over closes by itself, and would take the next one with it.
  start(): void {
    const left = Math.max(0, screen.availWidth / 2 - 260);
    window.open(this.address, `tintype_connect_${this.over}`, `popup,width=520,height=720,left=${left},top=60`);
    this.watch();
  }

  // Looks until an attempt that is newer than the last one known has come to its end.
  watch(): void {
    this.stop();
    this.turns = 0;
    this.before = this.attempt;
    this.ask();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  private ask(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.look(), EVERY);
  }

  private async look(): Promise<void> {
    this.turns += 1;
    const standing = await this.server.get<Standing>("/dialog/session").catch(() => null);
    if (!this.timer) return;
    if (!standing) return this.turns < MOST ? this.ask() : this.stop();
    this.code = standing.code;
    this.attempt = standing.attempt;
    const isOver = standing.attempt !== this.before && !standing.connecting;
    if (isOver) this.over += 1;
    if (isOver || this.turns >= MOST) this.stop();
    else this.ask();
    this.heard(standing, isOver);
  }

  // The window asks for the code where cookies do not prove who it is. It is one of ours, or it is not told.
  private async answer(event: MessageEvent): Promise<void> {
    const asked = event.data as { type?: string } | null;
    const other = event.source as Window | null;
    if (event.origin !== location.origin || asked?.type !== "tintype:code?" || !other) return;
    const code = this.code ?? (await this.server.get<Standing>("/dialog/session").catch(() => null))?.code;
    if (code) other.postMessage({ type: "tintype:code", code }, location.origin);
  }
}
