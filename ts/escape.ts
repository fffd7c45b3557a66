/** Texts inside SQL, by PostgreSQL's own rules (libpq's PQescapeIdentifier and PQescapeLiteral). */

/** A name in double quotes. */
export function escapeIdentifier(str: string): string {
  return `"${str.replace(/"/g, '""')}"`
}

/** A string literal; with backslashes in it, one of the `E''` kind. Anything but a string is the empty literal. */
export function escapeLiteral(text: string): string {
  if (typeof text !== 'string') return "''"
  const quoted = `'${text.replace(/'/g, "''").replace(/\\/g, '\\\\')}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}
