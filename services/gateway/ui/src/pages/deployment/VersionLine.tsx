/** The newest versions in a line, newest left: how old each is and which environments it reached. Picking one shows where it stands. */
import { useRef } from 'preact/hooks'
import type { VersionReach } from '../../api/schema'
import { Glyph, Time } from '../../parts/base.tsx'
import { versionStatus } from '../../parts/states.ts'
import { href } from '../../router/location.ts'
import { chipWords, farOf } from './words.ts'

interface Props {
  versions: readonly VersionReach[]
  total: number
  picked: string
  onPick(versionId: string): void
}

export function VersionLine({ versions, total, picked, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    const here = versions.findIndex((one) => one.version.versionId === picked)
    const next = versions[event.key === 'Home' ? 0 : event.key === 'End' ? versions.length - 1 : here + (step ?? 0)]
    if ((step === undefined && event.key !== 'Home' && event.key !== 'End') || !next) return
    event.preventDefault()
    onPick(next.version.versionId)
    requestAnimationFrame(() => box.current?.querySelector<HTMLElement>('[aria-checked="true"]')?.focus())
  }
  return (
    <div class="version-line">
      <div ref={box} class="chips-line" role="radiogroup" aria-label="Version that is looked at" onKeyDown={keys}>
        {versions.map(({ version, reach }) => {
          const mine = version.versionId === picked
          return (
            <button
              key={version.versionId}
              type="button"
              role="radio"
              class="vchip"
              aria-checked={mine}
              aria-label={chipWords(version.tag, version.status, reach)}
              tabIndex={mine ? 0 : -1}
              data-st={versionStatus(version.status)}
              data-version-line={mine ? '' : undefined}
              title={chipWords(version.tag, version.status, reach)}
              onClick={() => onPick(version.versionId)}
            >
              <span class="mono cut">{version.tag}</span>
              {version.status === 'ready' ? null : <Glyph status={versionStatus(version.status)} />}
              <span class="age">
                <Time at={version.createdAt} ago />
              </span>
              <span class="reach-ticks">
                {reach.filter((one) => one.targets).map((one) => (
                  <i key={one.environmentId} data-far={farOf(one)} />
                ))}
              </span>
            </button>
          )
        })}
      </div>
      {versions.find((one) => one.version.versionId === picked) ? (
        <a class="link small" href={href('version', { versionId: picked })}>
          About {versions.find((one) => one.version.versionId === picked)?.version.tag}
        </a>
      ) : null}
      {total > versions.length ? <span class="faint small num">{total - versions.length} older</span> : null}
    </div>
  )
}
