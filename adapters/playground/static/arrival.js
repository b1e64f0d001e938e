// Somebody new: the page leads them to where the bot greets them.
import { attempt, become, openMessage, openRoom, toast } from "./app.js";
import { ask } from "./api.js";
import { startReply } from "./composer.js";
import { byId } from "./dom.js";
import { plain } from "./markdown.js";
import { me, room, store } from "./store.js";
import { t } from "./words.js";

const PATIENCE = 20_000; // milliseconds in which a greeting is one of this arrival
let awaited = { until: 0, room: "" };

/** See the space as somebody who came in at an instant. */
export async function arrive(id, since) {
  await become(id, since);
  awaited = { until: Date.now() + PATIENCE, room: store.room };
  const spoken = [...store.rooms.values()].filter((one) => one.last > since);
  const found = await Promise.all(spoken.map((one) => attempt(() => ask("messages", { room: one.id }))));
  found.flatMap((one) => one?.messages ?? []).filter((one) => one.at > since).forEach(greet);
}

/** Go to a message that greets whoever has just come in; lead there by a word when they have begun with something else. */
export async function greet(message) {
  if (Date.now() > awaited.until || !greets(message)) return;
  awaited.until = 0;
  const busy = store.room !== awaited.room || byId("write")?.value || byId("dialog").open;
  if (!busy || message.room === store.room) return show(message);
  toast(t("greeted", { room: store.rooms.get(message.room).name }), t("greeted.show"), () => show(message));
}

function greets(message) {
  const words = [message.text, ...message.ghosts.map((ghost) => ghost.action.text ?? "")].map(plain);
  return message.author === store.bot && store.rooms.has(message.room) && words.some((one) => one.includes(me().name));
}

async function show(message) {
  await openRoom(message.room);
  if (room()?.joined && message.text && !byId("write")?.value) startReply(message);
  await openMessage(message.room, message.id);
}
