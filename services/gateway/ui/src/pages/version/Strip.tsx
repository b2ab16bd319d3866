/** The environments of a version in the order in which it goes through them: how far it is in each. Picking one tells why not further. */
import type { RolloutExplanation } from '../../api/schema'
import { Bar, Glyph } from '../../parts/base.tsx'
import { setQuery } from '../../router/location.ts'
import { reachWords, standingOf } from './words.ts'

export interface Stage {
  name: string
  rollout: RolloutExplanation
}

export function Strip({ stages, chosen }: { stages: readonly Stage[]; chosen: string }) {
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const here = stages.findIndex((one) => one.rollout.environmentId === chosen)
    const next = stages[(here + step + stages.length) % stages.length]
    if (!next) return
    event.preventDefault()
    setQuery({ env: next.rollout.environmentId })
    document.getElementById(`stage-${next.rollout.environmentId}`)?.focus()
  }
  return (
    <div class="strip" role="tablist" aria-label="Environments" onKeyDown={keys}>
      {stages.map(({ name, rollout }) => {
        const status = standingOf(rollout)
        const shown = rollout.environmentId === chosen
        return (
          <button
            key={rollout.environmentId}
            id={`stage-${rollout.environmentId}`}
            type="button"
            role="tab"
            class="stage"
            data-st={status}
            aria-selected={shown}
            aria-controls="stage-why"
            tabIndex={shown ? 0 : -1}
            onClick={() => setQuery({ env: rollout.environmentId })}
          >
            <span class="name">
              <Glyph status={status} />
              <b>{name}</b>
            </span>
            <Bar done={rollout.done} all={rollout.total} status={status} />
            <span class="small quiet num">{reachWords(rollout)}</span>
          </button>
        )
      })}
    </div>
  )
}
