/** How far a rollout is: a bar of what is done, on the way and held, and what comes next. */
import type { RolloutExplanation } from '../../api/schema'
import { Countdown, Glyph, Time } from '../../parts/base.tsx'
import { Said } from '../../parts/Said.tsx'
import { now } from '../../time/clock.ts'
import { type Turn, comingOf, partsOf, summary } from './words.ts'

interface Props {
  rollout: RolloutExplanation
  turns: ReadonlyMap<string, Turn>
  name(resourceId: string): string | undefined
}

export function Progress({ rollout, turns, name }: Props) {
  const parts = partsOf(rollout)
  return (
    <section class="card progress" aria-label="How far it is">
      <div class="parts-bar" role="img" aria-label={summary(parts, rollout.total)}>
        {parts.map((one) => (
          <i key={one.key} data-st={one.status} data-part={one.key} style={{ '--part': String(one.count) }} />
        ))}
      </div>
      <ul class="parts-key">
        {parts.map((one) => (
          <li key={one.key} data-st={one.status}>
            <Glyph status={one.status} />
            <b class="num">{one.count}</b> {one.word}
          </li>
        ))}
      </ul>
      {rollout.reasons.length ? null : <p class="coming"><Said>{rollout.message}</Said></p>}
      <Coming turns={turns} name={name} />
    </section>
  )
}

function Coming({ turns, name }: Omit<Props, 'rollout'>) {
  const coming = comingOf(turns, now.value)
  if (!coming) return null
  return (
    <p class="coming">
      Next: <b>{name(coming.next.resourceId) ?? `number ${coming.next.number}`}</b> in <Countdown until={coming.next.at} label="Its turn: " />
      {coming.last !== coming.next.at ? (
        <>
          {' '}
          · the last one at <Time at={coming.last} /> (<Countdown until={coming.last} label="The last one: " />)
        </>
      ) : null}
      <span class="faint"> if nothing else changes</span>
    </p>
  )
}
