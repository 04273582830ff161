// A hidden frame that scripts of old wait for: it says whether frames of ours have cookies. There is no secret in that.

function hasCookies(): boolean {
  try {
    document.cookie = "tintype_probe=1; SameSite=None; Secure; Partitioned; Max-Age=60";
    return document.cookie.includes("tintype_probe=1");
  } catch {
    return false;
  }
}

if (parent !== window) {
  parent.postMessage(JSON.stringify({ id: "cookies", type: "ThirdPartyCookies", payload: hasCookies() }), "*");
}
