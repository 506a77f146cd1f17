// Security keys: asks the server for options, the browser for an answer of the key, and sends that with the form.
"use strict";

const toBytes = (text) => {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
};

const toText = (buffer) => {
  const signs = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(signs).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};

const known = (keys) => (keys ?? []).map((key) => ({ ...key, id: toBytes(key.id) }));

const created = async (options) => {
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const credential = await navigator.credentials.create({ publicKey });
  return told(credential, {
    attestationObject: toText(credential.response.attestationObject),
    transports: credential.response.getTransports?.() ?? [],
  });
};

const got = async (options) => {
  const publicKey = {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: known(options.allowCredentials),
  };
  const credential = await navigator.credentials.get({ publicKey });
  const { authenticatorData, signature, userHandle } = credential.response;
  return told(credential, {
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    userHandle: userHandle && toText(userHandle),
  });
};

const told = (credential, response) => JSON.stringify({
  id: credential.id,
  rawId: toText(credential.rawId),
  type: credential.type,
  clientExtensionResults: credential.getClientExtensionResults(),
  response: { clientDataJSON: toText(credential.response.clientDataJSON), ...response },
});

const why = (error) => ({
  NotAllowedError: "Nothing came from a security key: it was cancelled, or took too long. Press the button to try again.",
  InvalidStateError: "This security key is set up already. Use another one.",
  NotSupportedError: "This security key cannot be used here. Use another one.",
  SecurityError: "The browser allows no security key at this address. Please contact us.",
})[error.name] ?? error.message;

const options = async (form) => {
  const answer = await fetch(form.dataset.options, { method: "POST", credentials: "same-origin" });
  if (!answer.ok) {
    throw new Error("This page is too old. Load it again.");
  }
  return answer.json();
};

for (const form of document.querySelectorAll("form[data-key]")) {
  const status = form.querySelector(".told");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    if (form.elements.answer.value) {
      return;
    }
    event.preventDefault();
    // The page's guard against a second submit is for forms that leave the page.
    event.stopPropagation();
    if (!window.PublicKeyCredential) {
      status.textContent = "This browser knows no security keys. Use another browser, or an authenticator app.";
      return;
    }
    button.disabled = true;
    status.textContent = "Now use your security key: plug it in or hold it near, and touch it.";
    try {
      const ask = form.dataset.key === "create" ? created : got;
      form.elements.answer.value = await ask(await options(form));
      status.textContent = "Thank you. One moment.";
      form.submit();
    } catch (error) {
      status.textContent = why(error);
      button.disabled = false;
    }
  });
}
// A page that comes back from the browser's memory asks for a fresh answer.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-key]")) {
    form.elements.answer.value = "";
    form.querySelector("button").disabled = false;
  }
});
