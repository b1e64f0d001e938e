// The page's own sentences, in English and in Chinese.
import { store } from "./store.js";

let words = { en: {}, zh_CN: {} };

/** Read the dictionary; once, before anything is drawn. */
export async function loadWords() {
  words = await (await fetch("/static/words.json")).json();
}

export const language = () => store.language;
export const locale = () => (store.language === "zh_CN" ? "zh-CN" : "en-GB");
export const knows = (key) => key in words.en;

/** Say something in the reader's language, with `{name}` filled in. */
export function t(key, details = {}) {
  const sentence = words[store.language][key] ?? words.en[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in details ? String(details[name]) : whole));
}

export const clockTime = (at) => new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(new Date(at));

export const longTime = (at) => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));

/** Name a day as people do: today, yesterday, else its date. */
export function dayName(at) {
  const day = new Date(at), now = new Date();
  const apart = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86400000);
  if (apart === 0 || apart === 1) {
    return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-apart, "day");
  }
  const year = day.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long", ...year }).format(day);
}
