// What the page that opened the dialog is told; only its own origin hears it.

export class Opener {
  constructor(
    private readonly origin: string | null,
    private readonly id: string,
    private readonly isWindow: boolean,
  ) {}

  ready(): void {
    this.tell({ type: "dialogReady" });
  }

  chosen(payload: unknown): void {
    this.tell({ type: "filepickerUrl", payload });
    this.leave();
  }

  progress(percent: number): void {
    this.tell({ type: "filepickerProgress", payload: { data: Math.round(percent) } });
  }

  busy(isBusy: boolean): void {
    this.tell(isBusy ? { id: `${this.id}-upload`, type: "uploading", payload: true } : { type: "notUploading" });
  }

  refused(code: number, hint: string): void {
    this.tell({ type: "filepickerUrl", error: { code, hint } });
  }

  closed(code: number): void {
    this.tell({ type: "filepickerUrl", error: { code } });
    this.tell({ type: "closeModal" });
    this.leave();
  }

  private leave(): void {
    if (this.isWindow) setTimeout(() => window.close(), 50);
  }

  private tell(message: object): void {
    const target: Window | null = this.isWindow ? (window.opener as Window | null) : parent === window ? null : parent;
    if (this.origin && target) target.postMessage(JSON.stringify({ id: this.id, ...message }), this.origin);
  }
}
