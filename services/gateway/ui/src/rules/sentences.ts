/** Rules of policies, freezes and selectors as sentences. Pure. */
import { counted, listed } from '../acts/words.ts'
import { spelt } from '../parts/states.ts'

export type Bodies = Readonly<Record<string, unknown>>

const KNOWN = ['anyApproval', 'environmentProgression', 'gradualRollout', 'deploymentWindow', 'deploymentDependency', 'versionCooldown', 'versionSelector', 'retry', 'planValidationOpa', 'verification', 'rollback'] as const
export type Kind = (typeof KNOWN)[number]
export const KINDS: readonly Kind[] = KNOWN

/** The kinds that a rule has a body of, in order: mostly one. */
export function kindsOf(rule: Bodies): Kind[] {
  return KNOWN.filter((kind) => isObject(rule[kind]))
}

/** What a rule asks for, a sentence for each of its bodies. */
export function sentencesOf(rule: Bodies): string[] {
  return kindsOf(rule).map((kind) => sentences[kind](rule[kind] as Record<string, unknown>))
}

const sentences: Record<Kind, (body: Record<string, unknown>) => string> = {
  anyApproval(body) {
    const needed = number(body, 'minApprovals') ?? 1
    const who = text(body, 'approverSelector')
    const groups = list(body, 'groups').map((one) => `${counted(number(one, 'minApprovals') ?? 1, 'person', 'people')} of ${selectorWords(text(one, 'selector'))}`)
    const first = needed ? `Needs ${counted(needed, 'approval')}` : 'Needs nobody in particular'
    return sentence([
      `${first}${who ? ` from people with ${selectorWords(who)}` : ''}${groups.length ? `, among them ${listed(groups)}` : ''}`,
      body['authorMayApprove'] === true && 'the author may approve',
      number(body, 'expiresAfterMinutes') && `an approval counts for ${lasting((number(body, 'expiresAfterMinutes') ?? 0) * 60)}`,
      body['rejectionBlocks'] === true && 'one rejection blocks',
    ])
  },
  environmentProgression(body) {
    const share = number(body, 'minimumSuccessPercentage')
    const soak = number(body, 'minimumSoakTimeMinutes')
    const age = number(body, 'maximumAgeHours')
    const where = selectorWords(text(body, 'dependsOnEnvironmentSelector'))
    return sentence([
      `Must first succeed on ${share === undefined || share === 100 ? (share === 100 ? 'all targets' : 'a target') : `${share} % of the targets`} in ${where}`,
      body['requireVerificationPassed'] === true && 'with its verification passed',
      soak && `for ${lasting(soak * 60)}`,
      age && `not longer than ${lasting(age * 3600)} ago`,
      list(body, 'successStatuses').length > 0 && `success being ${listed(words(body, 'successStatuses'))}`,
    ])
  },
  gradualRollout(body) {
    const seconds = number(body, 'timeScaleInterval') ?? 0
    const type = text(body, 'rolloutType')
    if (type === 'waves') {
      const waves = list(body, 'waves').map((wave) => {
        const soak = number(wave, 'soakMinutes')
        const part = text(wave, 'selector') ? selectorWords(text(wave, 'selector')) : `${number(wave, 'percentage') ?? 0} %`
        const named = text(wave, 'name')
        return `${named ? `${named} (${part})` : part}${soak ? `, which soaks ${lasting(soak * 60)}` : ''}`
      })
      return `Goes in ${counted(waves.length, 'wave')}: ${waves.join('; then ')}; then the rest.`
    }
    if (!seconds) return 'Goes to all targets at once, in order.'
    return type === 'linear' ? `Goes target by target, ${lasting(seconds)} apart.` : `Goes target by target, all of them within ${lasting(seconds)}.`
  },
  deploymentWindow(body) {
    const inside = body['allowWindow'] !== false
    const zone = text(body, 'timezone')
    const length = lasting((number(body, 'durationMinutes') ?? 0) * 60)
    return `Goes ${inside ? 'only' : 'never'} in the ${length} after ${recurrenceWords(text(body, 'rrule'))}${zone ? ` (${zone})` : ''}.`
  },
  deploymentDependency: (body) => `Waits until the same resource runs ${selectorWords(text(body, 'dependsOn'))}.`,
  versionCooldown: (body) => `Passes over versions made less than ${lasting(number(body, 'intervalSeconds') ?? 0)} after the one that runs.`,
  versionSelector: (body) => text(body, 'description') || `Only versions with ${selectorWords(text(body, 'selector'))}.`,
  retry(body) {
    const retries = number(body, 'maxRetries') ?? 0
    const pause = number(body, 'backoffSeconds')
    const doubling = body['backoffStrategy'] === 'exponential'
    if (!retries) return 'A failed job is not tried again.'
    return sentence([
      `Tries a failed job again, ${counted(retries, 'time')} at most`,
      pause && `${lasting(pause)} apart${doubling ? ', doubling each time' : ''}`,
      list(body, 'retryOnStatuses').length > 0 && `after ${listed(words(body, 'retryOnStatuses').map(spelt))}`,
    ])
  },
  planValidationOpa: (body) => `Judges plans by the module “${text(body, 'name')}”.`,
  verification(body) {
    const metrics = list(body, 'metrics')
    const named = metrics.map((one) => {
      const count = number(one, 'count') ?? 1
      const every = number(one, 'intervalSeconds') ?? 0
      return `${text(one, 'name')} (${text(isObject(one['provider']) ? one['provider'] : {}, 'type')}, ${count === 1 ? 'once' : `${count} times, every ${lasting(every)}`})`
    })
    const on = number(body, 'continueSeconds')
    const when = { jobCreated: 'as soon as there is a job', jobStarted: 'once the job starts', jobFailure: 'when the job failed' }[text(body, 'triggerOn')] ?? 'after the job'
    return `Measures ${listed(named)} ${when}${on ? `, and watches on for ${lasting(on)}` : ''}.`
  },
  rollback(body) {
    const statuses = words(body, 'onJobStatuses').map(spelt)
    const causes = [...(statuses.length ? [`its job ends with ${listed(statuses)}`] : []), ...(body['onVerificationFailure'] === true ? ['its verification fails'] : [])]
    return causes.length ? `Rolls back when ${causes.join(' or ')}.` : 'Never rolls back by itself.'
  },
}

/** A selector in words where it is a plain one, else as it is written. */
export function selectorWords(source: string): string {
  const text = source.trim()
  if (!text || text === 'true') return 'everything'
  const parts = text.split(/\s*&&\s*/).map((part) => {
    const found = /^(resource|environment|deployment|version|user)\.(name|kind|tag|identifier|slug|metadata\["([^"]+)"\])\s*==\s*"([^"]*)"$/.exec(part)
    if (!found) return null
    const [, of = '', field = '', key = '', value = ''] = found
    if (field === 'name') return `${of} ${value}`
    return key ? `${of} with ${key} ${value}` : `${of} of ${field} ${value}`
  })
  return parts.every((part) => part !== null) ? parts.join(', ') : text
}

/** Whether there is a sentence for a selector, or only its own text. */
export function isPlain(source: string): boolean {
  return selectorWords(source) !== source.trim()
}

const DAYS: Record<string, string> = { MO: 'Monday', TU: 'Tuesday', WE: 'Wednesday', TH: 'Thursday', FR: 'Friday', SA: 'Saturday', SU: 'Sunday' }
const UNITS: Record<string, string> = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month', YEARLY: 'year', HOURLY: 'hour' }

/** An RFC 5545 rule in words where it is a plain one: `09:00 on Monday and Tuesday`. */
export function recurrenceWords(rule: string): string {
  const given = Object.fromEntries(rule.replace(/^RRULE:/, '').split(';').map((part) => part.split('=') as [string, string]))
  const { FREQ, BYDAY, BYHOUR, BYMINUTE, INTERVAL, ...rest } = given
  const unit = UNITS[FREQ ?? '']
  if (!unit || rule.includes('\n') || Object.keys(rest).some((key) => key !== 'BYSECOND' && key !== '')) return rule
  const two = (value: string) => value.padStart(2, '0')
  const times = (BYHOUR ?? '').split(',').filter(Boolean).map((hour) => `${two(hour)}:${two((BYMINUTE ?? '0').split(',')[0] ?? '0')}`)
  const names = (BYDAY ?? '').split(',').filter(Boolean).map((day) => DAYS[day])
  if (names.some((name) => name === undefined)) return rule
  const often = INTERVAL && INTERVAL !== '1' ? `every ${INTERVAL} ${unit}s` : `every ${unit}`
  return `${times.length ? listed(times) : 'midnight'} ${names.length && !(INTERVAL && INTERVAL !== '1') ? `on ${listed(names as string[])}` : often}`
}

/** How long, of so many seconds: `90 s`, `30 min`, `2 h`, `3 days`. */
export function lasting(seconds: number): string {
  if (seconds < 120 && seconds % 60) return `${seconds} s`
  if (seconds < 7_200) return seconds % 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds / 60} min`
  if (seconds < 172_800) return seconds % 3600 ? `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min` : `${seconds / 3600} h`
  return `${Math.round(seconds / 8_640) / 10} days`
}

/** What saving, changing or deleting a policy comes to. */
export interface Effect {
  total: number
  held: number
  totalBefore: number
  heldBefore: number
  added: number
  removed: number
  withdrawn: number
}

/** The blast radius of a change, with its numbers. */
export function effectWords(name: string, enabled: boolean, effect: Effect, isNew: boolean): string {
  const { total, held, totalBefore, heldBefore, added, removed, withdrawn } = effect
  if (!enabled) {
    const free = heldBefore ? ` ${counted(heldBefore, 'target')} that it holds now may get newer versions as soon as nothing else holds them.` : ''
    return `“${name}” is saved but switched off: it would apply to ${counted(total, 'target')}, and holds none.${free}`
  }
  const moved = [...(added ? [`${added} come`] : []), ...(removed ? [`${removed} go`] : [])].map((one) => one.replace(/^1 (come|go)$/, '1 $1es'))
  const change = isNew || (!added && !removed) ? '' : ` (${totalBefore} now: ${moved.join(', ')})`
  const holds = held ? `It holds a version on ${counted(held, 'target')} at this moment` : 'It holds nothing at this moment'
  const before = isNew || held === heldBefore ? '' : ` (${heldBefore} as it is now)`
  const taken = withdrawn ? ` ${counted(withdrawn, 'target')} that ${withdrawn === 1 ? 'is' : 'are'} cleared and whose job was not made yet ${withdrawn === 1 ? 'is' : 'are'} held back.` : ''
  return `“${name}” applies to ${counted(total, 'target')}${change} from now on. ${holds}${before}.${taken}`
}

/** What deleting a policy does; `effect` is null where it could not be counted (yet). */
export function deletionWords(rules: number, effect: Pick<Effect, 'totalBefore' | 'heldBefore'> | null): string {
  const lead = `Its ${counted(rules, 'rule')} no longer ${rules === 1 ? 'applies' : 'apply'}`
  const rest = 'What runs stays as it is.'
  if (!effect) return `${lead}; to how many targets is not counted yet. What it holds now may get newer versions at once, unless other policies hold it. ${rest}`
  const free = effect.heldBefore
    ? `${counted(effect.heldBefore, 'target')} that it holds now may get newer versions at once, unless other policies hold them.`
    : 'It holds nothing at this moment.'
  return `${lead} to ${counted(effect.totalBefore, 'target')}. ${free} ${rest}`
}

/** What a policy does at this moment, as it is saved. */
export function holdsWords(held: number, enabled: boolean): string {
  if (!enabled) return 'It is switched off, and holds none of them.'
  return held ? `It holds a version on ${counted(held, 'target')} at this moment.` : 'It holds nothing at this moment.'
}

function sentence(parts: readonly (string | false | 0 | undefined | null)[]): string {
  return `${parts.filter(Boolean).join(', ')}.`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function number(body: Record<string, unknown>, key: string): number | undefined {
  return typeof body[key] === 'number' ? body[key] : undefined
}

function text(body: Record<string, unknown>, key: string): string {
  return typeof body[key] === 'string' ? body[key] : ''
}

function list(body: Record<string, unknown>, key: string): Record<string, unknown>[] {
  return Array.isArray(body[key]) ? (body[key] as Record<string, unknown>[]) : []
}

function words(body: Record<string, unknown>, key: string): string[] {
  return Array.isArray(body[key]) ? (body[key] as unknown[]).filter((one) => typeof one === 'string') : []
}
