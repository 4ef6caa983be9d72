// Which values may go into a command and how they are quoted there. `api/web/fill.py` decides the same on the server;
// both pass tests/cases/web/quoting.json.

const MAX_VALUE_CHARS = 512;
const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/;
// Controls, line separators, and the invisible characters that make a command look like another one.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u;

/** Why `value` may not be pasted into any command; empty when it may. */
export function refusal(value) {
  if ([...value].length > MAX_VALUE_CHARS) return `longer than ${MAX_VALUE_CHARS} characters`;
  if (HIDDEN.test(value)) return "holds control or invisible characters";
  if (value.startsWith("-") || value.startsWith("@")) {
    return `begins with '${value[0]}', so a command would read it as an option or a file`;
  }
  return "";
}

/** `value` as it must stand in a command, or null when it cannot stand there safely. */
export function quote(value, quoting) {
  if (!value || refusal(value)) return null;
  if (SAFE.test(value)) return value;
  return quoting === "bare" ? `'${value.replaceAll("'", "'\"'\"'")}'` : null;
}
