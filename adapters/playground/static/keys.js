// What the keyboard does wherever one is.
import { openRoom } from "./app.js";
import { byId } from "./dom.js";
import { store } from "./store.js";
import { listedRooms } from "./channels.js";
import { chooseMember, chooseRoom, showKeys } from "./dialogs.js";
import { closeDrawers } from "./top.js";
import { focusComposer } from "./composer.js";

/** Begin to listen. */
export function listenToKeys() {
  document.addEventListener("keydown", onKey);
}

function onKey(event) {
  if (event.isComposing || byId("dialog").open) return;
  const work = whatFor(event);
  if (!work) return;
  event.preventDefault();
  work();
}

function whatFor(event) {
  const writing = event.target.matches("input, textarea, select");
  const control = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (control && event.key === "k") return chooseRoom;
  if (control && event.key === "u") return chooseMember;
  if (event.altKey && event.key === "ArrowDown") return () => step(1);
  if (event.altKey && event.key === "ArrowUp") return () => step(-1);
  if (event.key === "Escape" && document.body.dataset.drawer) return closeDrawers;
  if (event.key === "?" && !writing) return showKeys;
  if (event.key === "/" && !writing) return () => beginCommand();
  return null;
}

async function step(by) {
  const rooms = listedRooms();
  const at = rooms.findIndex((one) => one.id === store.room);
  await openRoom(rooms[(at + by + rooms.length) % rooms.length].id);
  focusComposer();
}

function beginCommand() {
  const area = byId("write");
  if (!area) return;
  area.focus();
  if (!area.value) {
    area.value = "/";
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
