/** Whether the database is awake. A suspended one takes a while to wake up; the first login starts that. */
export class Compute {
  private waking: Promise<void> | undefined
  private suspended: boolean
  private timer: NodeJS.Timeout | undefined

  constructor(
    /** Milliseconds from the first login to being awake. With 0 it never sleeps. */
    private readonly wakeUpDelayMillis: number,
  ) {
    this.suspended = wakeUpDelayMillis > 0
  }

  get awake(): boolean {
    return !this.suspended
  }

  /** Resolves when the database is awake; starts to wake it when it is not. */
  wake(): Promise<void> {
    if (!this.suspended) return Promise.resolve()
    this.waking ??= new Promise((resolve) => {
      this.timer = setTimeout(() => {
        this.suspended = false
        this.waking = undefined
        resolve()
      }, this.wakeUpDelayMillis)
    })
    return this.waking
  }

  /** The next login finds the database asleep. One that is waking up goes on to do so. */
  suspend(): void {
    this.suspended = this.wakeUpDelayMillis > 0
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}
