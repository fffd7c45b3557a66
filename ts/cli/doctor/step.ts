/** Steps of an examination, one after the other: what each found, how long it took, and which need not be tried because another failed. */

import type { Diagnosis } from './diagnoses.js'

export type Status = 'ok' | 'warning' | 'failure' | 'skipped'

/** What a step found. `code`, `cause` and `fix` are there where something is wrong. */
export interface Finding {
  status: Status
  detail: string
  code?: string
  cause?: string
  fix?: string
}

export interface Step extends Finding {
  name: string
  millis: number
}

export interface Check {
  name: string
  /** Steps without whose success this one says nothing. */
  needs?: readonly string[]
  run(): Promise<Finding> | Finding
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const skipped = (detail: string): Finding => ({ status: 'skipped', detail })
export const wrong = (status: 'warning' | 'failure', detail: string, { code, cause, fix }: Diagnosis): Finding => ({ status, detail, code, cause, fix })

/** Runs the checks in order and tells of each step as it ends. A check that throws is given to `explain`. */
export async function examine(checks: readonly Check[], explain: (error: unknown) => Finding, tell: (step: Step) => void): Promise<Step[]> {
  const steps: Step[] = []
  for (const { name, needs = [], run } of checks) {
    const missing = needs.find((need) => steps.some((step) => step.name === need && (step.status === 'failure' || step.status === 'skipped')))
    const start = performance.now()
    let finding: Finding
    if (missing !== undefined) finding = skipped(`needs: ${missing}`)
    else {
      try {
        finding = await run()
      } catch (error) {
        finding = explain(error)
      }
    }
    const step = { name, millis: Math.round(performance.now() - start), ...finding }
    steps.push(step)
    tell(step)
  }
  return steps
}
