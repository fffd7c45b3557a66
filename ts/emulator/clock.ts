/** The emulator's notion of now, which tests can move. */
export class Clock {
  private offsetMillis = 0

  now(): number {
    return Date.now() + this.offsetMillis
  }

  /** Moves the clock forward, or back with a negative number, of milliseconds. */
  advance(millis: number): void {
    this.offsetMillis += millis
  }
}
