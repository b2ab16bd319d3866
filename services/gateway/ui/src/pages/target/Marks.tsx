/** Versions that do not come back to a target, since one failed here or somebody went back from it. */
import type { BadVersion } from '../../api/schema'
import { Card, Time } from '../../parts/base.tsx'
import { Action } from '../../parts/Button.tsx'
import { Said } from '../../parts/Said.tsx'
import { href } from '../../router/location.ts'

export function Marks({ marks, lift }: { marks: readonly BadVersion[]; lift(mark: BadVersion): void }) {
  if (!marks.length) return null
  return (
    <Card title="Marked bad here" note={String(marks.length)}>
      <ul class="marks">
        {marks.map((mark) => (
          <li key={mark.versionId}>
            <div>
              <a class="mono link" href={href('version', { versionId: mark.versionId })}>
                {mark.tag}
              </a>{' '}
              <span class="quiet">
                since <Time at={mark.since} />
              </span>
              {mark.reason ? <p class="quiet small"><Said>{mark.reason}</Said></p> : null}
            </div>
            <Action small onPress={() => lift(mark)}>
              Lift…
            </Action>
          </li>
        ))}
      </ul>
    </Card>
  )
}
