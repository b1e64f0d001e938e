// The left pane: the channels that this member sees.
import { openRoom } from "./app.js";
import { byId, fill, h, icon, iconButton } from "./dom.js";
import { isStaff, store } from "./store.js";
import { t } from "./words.js";
import { editChannel } from "./dialogs.js";

const GROUPS = [
  ["everyone", "channels.public"],
  ["members", "channels.private"],
  ["direct", "channels.direct"],
];

/** Draw the list of channels. */
export function drawChannels() {
  const place = byId("channels");
  place.setAttribute("aria-label", t("channels"));
  fill(place, h("h1", { class: "space" }, store.space), ...GROUPS.map(([audience, title]) => group(audience, t(title))));
}

/** Return the channels in the order in which they are listed. */
export function listedRooms() {
  return GROUPS.flatMap(([audience]) => roomsOf(audience));
}

function roomsOf(audience) {
  const rooms = [...store.rooms.values()].filter((one) => one.audience === audience);
  return rooms.sort((a, b) => Number(b.joined && !b.archived) - Number(a.joined && !a.archived));
}

function group(audience, title) {
  const rooms = roomsOf(audience);
  const add = isStaff() && audience === "everyone";
  if (!rooms.length && !add) return null;
  return h(
    "section",
    {},
    h("h2", {}, title, add && iconButton("plus", t("channel.new"), () => editChannel(null))),
    h("ul", {}, rooms.map(entry)),
  );
}

function entry(room) {
  const count = store.unread.get(room.id) ?? 0;
  const here = room.id === store.room;
  const state = [here && "here", count && "unread", !room.joined && "strange", room.archived && "archived"].filter(Boolean);
  return h(
    "li",
    {},
    h(
      "button",
      { type: "button", class: `channel ${state.join(" ")}`, "data-room": room.id, "aria-current": here ? "page" : null, onclick: () => openRoom(room.id) },
      mark(room),
      h("span", { class: "name" }, room.name),
      count > 0 && h("span", { class: "count", "aria-label": t("unread", { count }) }, String(count)),
      !room.joined && !count && h("span", { class: "hint" }, room.archived ? t("archived") : t("join")),
    ),
  );
}

function mark(room) {
  if (room.audience === "direct") return h("img", { class: "tiny", src: "/static/icon.svg", alt: "" });
  return room.audience === "members" ? icon("lock") : h("span", { class: "hash", "aria-hidden": "true" }, "#");
}
