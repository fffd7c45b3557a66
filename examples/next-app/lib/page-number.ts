/** A page number from an address, counted from 1; the first page for everything that is none. */
export function pageNumber(text: string | string[] | null | undefined): number {
  const number = Number(text)
  return Number.isInteger(number) && number >= 1 && number <= 1_000_000 ? number : 1
}
