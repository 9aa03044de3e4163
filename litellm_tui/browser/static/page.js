// Loaded before the terminal (textual.js), which begins with window.onload.
"use strict";

const NARROW = 700;
const AGAIN_MILLISECONDS = 2000;

// The terminal keeps its socket to itself and says only that it was closed: how it was is needed too.
window.WebSocket = class extends window.WebSocket {
  constructor(address, protocols) {
    super(address, protocols);
    this.addEventListener("close", closed);
    // keys go to the terminal without a click on it
    this.addEventListener("open", () => document.querySelector(".xterm-helper-textarea")?.focus());
  }
};

function closed(event) {
  const why = document.getElementById("why");
  if (event.code === 1000 || event.code >= 4000) {
    why.textContent = (event.reason || "the console has ended") + ".";
    return;
  }
  why.textContent = "The connection is lost; it is tried again.";
  setTimeout(again, AGAIN_MILLISECONDS);
}

// A new console as soon as the server answers: the one before ended with the connection.
async function again() {
  try {
    await fetch("alive", { cache: "no-store" });
    location.reload();
  } catch {
    setTimeout(again, AGAIN_MILLISECONDS);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const terminal = document.getElementById("terminal");
  const address = new URL("ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.search = "";
  address.hash = "";
  terminal.dataset.sessionWebsocketUrl = address.href;
  const asked = Number(new URLSearchParams(location.search).get("fontsize"));
  const usual = Math.min(innerWidth, innerHeight) < NARROW ? 11 : 15;
  terminal.dataset.fontSize = asked >= 6 && asked <= 60 ? asked : usual;
  document.getElementById("again").addEventListener("click", () => location.reload());
});

// The cells are measured when the terminal is opened: the font must be there by then.
const opened = document.fonts.load('15px "Roboto Mono"').catch(() => undefined);
window.addEventListener("DOMContentLoaded", () => {
  const open = window.onload;
  if (open) {
    window.onload = (event) => opened.then(() => open.call(window, event));
  }
});
