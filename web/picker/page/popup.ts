// The window in which an account is connected, on its way back from Instagram.

export {};

interface Answer {
  readonly type?: string;
  readonly code?: string;
}

// The code of the address is used up; it need not stand there, nor in the history.
history.replaceState(null, "", location.pathname);

const asks = document.querySelector<HTMLElement>("[data-asks]");
const opener = safeOpener();

if (document.querySelector("[data-done]")) setTimeout(() => window.close(), 1500);
else if (asks && opener && !asks.querySelector(".wrong")) proven(asks, opener);

function safeOpener(): Window | null {
  try {
    return window.opener as Window | null;
  } catch {
    return null;
  }
}

// Where the dialog's own window opened this one, it tells the code, and nobody has to type.
function proven(card: HTMLElement, other: Window): void {
  addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.source !== other) return;
    const answer = event.data as Answer | null;
    const input = card.querySelector<HTMLInputElement>("input.code");
    if (answer?.type !== "tintype:code" || typeof answer.code !== "string" || !input) return;
    input.value = answer.code;
    input.form?.submit();
  });
  other.postMessage({ type: "tintype:code?" }, location.origin);
}
