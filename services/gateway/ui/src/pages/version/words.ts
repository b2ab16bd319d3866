/** What a version's page says that needs working out. Pure. */
import { counted } from '../../acts/words.ts'
import type { RolloutExplanation } from '../../api/schema'
import type { Status } from '../../board/types.ts'
import { heldOf } from '../../why/words.ts'

/** How an environment looks from a version: what it is held by comes before what is done. */
export function standingOf(rollout: RolloutExplanation): Status {
  const { total, done, going, passed } = rollout
  const { blocked, waiting } = heldOf(rollout)
  if (!total) return 'empty'
  if (done === total) return 'healthy'
  if (blocked) return 'blocked'
  if (going) return 'progressing'
  if (waiting) return 'pending'
  // Passed over by a newer one: nothing is wrong, and nothing will come.
  return passed && !done ? 'empty' : 'healthy'
}

/** `4 of 6 run it`, and what the others do. */
export function reachWords(rollout: RolloutExplanation): string {
  const { total, done, going, passed } = rollout
  const { blocked, waiting } = heldOf(rollout)
  if (!total) return 'no targets'
  const others = [going ? `${going} under way` : '', waiting ? `${waiting} wait` : '', blocked ? `${blocked} blocked` : '', passed ? `${passed} passed over` : '']
  return [`${done} of ${total} done`, ...others.filter(Boolean)].join(' · ')
}

export type Settable = 'ready' | 'paused' | 'rejected'

export interface Change {
  status: Settable
  label: string
  verb: string
  danger: boolean
}

export const CHANGES: readonly Change[] = [
  { status: 'ready', label: 'Mark ready', verb: 'Mark ready', danger: false },
  { status: 'paused', label: 'Pause', verb: 'Pause', danger: false },
  { status: 'rejected', label: 'Mark bad', verb: 'Mark bad', danger: true },
]

/** What saying so does, in the numbers of where the version stands. */
export function consequenceOf(status: Settable, tag: string, rollouts: readonly RolloutExplanation[]): string {
  const sum = (of: (one: RolloutExplanation) => number) => rollouts.reduce((all, one) => all + of(one), 0)
  const done = sum((one) => one.done)
  const open = sum((one) => one.waiting + one.blocked + one.going)
  const runs = done ? `${counted(done, 'target')} that ${done === 1 ? 'runs' : 'run'} it` : ''
  if (status === 'ready') return `${tag} may go wherever the rules allow it${open ? `: ${counted(open, 'target')} ${open === 1 ? 'waits' : 'wait'} for it` : ''}.`
  if (status === 'paused') {
    return `${tag} goes to no further target${open ? ` (${counted(open, 'target')} ${open === 1 ? 'waits' : 'wait'} for it now)` : ''}${runs ? `; ${runs} ${done === 1 ? 'keeps' : 'keep'} it` : ''}.`
  }
  return `${tag} counts as bad everywhere: it goes nowhere any more${open ? `, also not to the ${counted(open, 'target')} that ${open === 1 ? 'waits' : 'wait'} for it` : ''}.${
    runs ? ` Where it is wanted now, the newest other version that the rules allow takes its place: ${runs} ${done === 1 ? 'changes' : 'change'}.` : ''
  }`
}
