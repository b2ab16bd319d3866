/** What a rollout's page says and shows that needs working out. Pure. */
import type { BoardTarget, Forecast, RolloutExplanation } from '../../api/schema'
import type { Status } from '../../board/types.ts'
import { counted } from '../../acts/words.ts'
import { heldOf, statusOf } from '../../why/words.ts'

export interface Turn {
  /** Its place, from 1. */
  number: number
  /** When it is cleared, or was; '' where something must happen first. */
  at: string
  heldBy: string
}

/** The turn of each target, by resource. */
export function turnsOf(forecast: Forecast | undefined): Map<string, Turn> {
  return new Map((forecast?.targets ?? []).map((one, index) => [one.resourceId, { number: index + 1, at: one.at ?? '', heldBy: one.heldBy ?? '' }]))
}

/** Targets in the order in which it is their turn; those of which no turn is known come last, as they were. */
export function byTurn(targets: readonly BoardTarget[], turns: ReadonlyMap<string, Turn>): BoardTarget[] {
  const place = (one: BoardTarget) => turns.get(one.resourceId)?.number ?? Infinity
  return [...targets].sort((a, b) => place(a) - place(b) || 0)
}

const VERDICTS: Record<BoardTarget['verdict'], { status: Status; word: string }> = {
  running: { status: 'healthy', word: 'done' },
  going: { status: 'progressing', word: 'on the way' },
  failed: { status: 'failed', word: 'failed' },
  marked: { status: 'failed', word: 'marked bad' },
  blocked: { status: 'blocked', word: 'blocked' },
  waiting: { status: 'pending', word: 'waits' },
  passed: { status: 'paused', word: 'passed over' },
  none: { status: 'empty', word: 'nothing to do' },
}

/** Where the version stands on a target: done, on the way, waits, in the status that it looks like. */
export function verdictOf(target: BoardTarget): { status: Status; word: string } {
  const said = VERDICTS[target.verdict]
  // It is there, but was not found healthy yet, or not any more.
  if (target.verdict === 'running' && target.status !== 'healthy' && target.status !== 'pending' && target.status !== 'blocked') {
    return { status: target.status, word: target.status === 'failed' ? 'there, and failed' : 'there, being measured' }
  }
  // It waits for somebody, not for a time: the matrix says so too.
  if (target.verdict === 'waiting' && target.status === 'blocked') return VERDICTS.blocked
  return said
}

/** What is said of a target: why it waits, what its job says, what went wrong. */
export function noteOf(target: BoardTarget, turn: Turn | undefined): string {
  // What somebody must act on is why it stands so, before what ends by itself.
  const held = target.holds.find((one) => statusOf(one) === 'blocked') ?? target.holds[0]
  if (held) return held.message
  if (target.verdict === 'waiting' || target.verdict === 'blocked') return turn?.heldBy || target.message
  if (target.verdict === 'running' && target.status === 'healthy') return target.verification === 'passed' ? 'verified' : ''
  if (target.verdict === 'running' || target.verdict === 'going' || target.verdict === 'failed') return target.message || target.job?.message || ''
  if (target.verdict === 'marked') return 'It does not go here again until the mark is lifted.'
  return target.current ? `runs ${target.current.tag}` : ''
}

export interface Parts {
  key: 'done' | 'going' | 'blocked' | 'waiting' | 'passed'
  status: Status
  count: number
  word: string
}

/** The parts of the bar, in the order of the way. */
export function partsOf(rollout: Pick<RolloutExplanation, 'done' | 'going' | 'waiting' | 'blocked' | 'passed' | 'reasons'>): Parts[] {
  const { waiting, blocked } = heldOf(rollout)
  const all: Parts[] = [
    { key: 'done', status: 'healthy', count: rollout.done, word: 'done' },
    { key: 'going', status: 'progressing', count: rollout.going, word: 'on the way' },
    { key: 'blocked', status: 'blocked', count: blocked, word: 'blocked' },
    { key: 'waiting', status: 'pending', count: waiting, word: waiting === 1 ? 'waits' : 'wait' },
    { key: 'passed', status: 'paused', count: rollout.passed, word: 'passed over' },
  ]
  return all.filter((one) => one.count)
}

/** The next targets that time alone clears, and the last of them. */
export function comingOf(turns: ReadonlyMap<string, Turn>, now: number): { next: Turn & { resourceId: string }; last: string } | null {
  const coming = [...turns].filter(([, one]) => one.at && Date.parse(one.at) > now)
  const first = coming.toSorted(([, a], [, b]) => Date.parse(a.at) - Date.parse(b.at))[0]
  if (!first) return null
  const last = coming.reduce((late, [, one]) => (one.at > late ? one.at : late), '')
  return { next: { resourceId: first[0], ...first[1] }, last }
}

export function summary(parts: readonly Parts[], total: number): string {
  return `${parts.map((one) => `${one.count} ${one.word}`).join(', ')}, of ${counted(total, 'target')}`
}
