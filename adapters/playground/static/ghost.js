// What the bot would have done, shown where it would have done it.
import { why } from "./app.js";
import { h, icon } from "./dom.js";
import { opening } from "./markdown.js";
import { member, store } from "./store.js";
import { knows, t } from "./words.js";

/** Put an action into words: "delete the message". */
export function actionWords(action) {
  const nobody = action.kind === "KeepAnswer" && !action.member;
  const key = `action.${action.kind}${action.on === false ? ".off" : nobody ? ".nobody" : ""}`;
  const name = action.member ? member(action.member).name : "";
  const room = store.rooms.get(action.channel ?? action.to)?.name ?? action.name ?? "";
  const text = opening(action.text ?? action.question ?? action.title ?? "");
  return knows(key) ? t(key, { ...action, name, room, text }) : action.kind;
}

/** Make the card that says what the bot held back. */
export function ghostCard(message, ghost) {
  return h(
    "div",
    { class: "ghost" },
    icon("eye"),
    h(
      "div",
      {},
      h("p", {}, t("ghost", { action: actionWords(ghost.action) })),
      h("p", { class: "small" }, h("span", { class: "chip" }, `${ghost.skill} · ${t(`mode.${ghost.mode}`)}`), " ", ghost.reason),
      h("button", { type: "button", class: "link", onclick: () => why(message.id) }, t("why.not")),
    ),
  );
}
