/** The environments as a table: the same as the lanes, in little room. */
import { Countdown, Glyph, Status } from '../../parts/base.tsx'
import { href } from '../../router/location.ts'
import { linesOf } from './Lanes.tsx'
import type { Shown } from './shown.ts'
import { standingOf } from './words.ts'

export function Table({ shown }: { shown: Shown }) {
  return (
    <div class="card scroll-x" role="region" aria-label="Environments" tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Environment</th>
            <th scope="col">Stands</th>
            <th scope="col">{shown.picked?.tag ?? 'Version'}</th>
            <th scope="col">Wanted</th>
            <th scope="col">Runs</th>
            <th scope="col" class="right">
              Targets
            </th>
            <th scope="col">Waits for</th>
          </tr>
        </thead>
        <tbody>
          {shown.places.map((place) => {
            const standing = standingOf(shown.explanation?.rollouts.find((one) => one.environmentId === place.id))
            const holds = linesOf(shown, place).filter((line) => line.reason)
            return (
              <tr key={place.id} class="stage-row">
                <th scope="row">
                  <a class="link" href={href('rollout', { deploymentId: shown.deployment.id, environmentId: place.id }, shown.picked ? { v: shown.picked.versionId } : {})}>
                    {place.name}
                  </a>
                </th>
                <td>
                  <Status status={place.cell.status} />
                </td>
                <td>
                  <span class="status" data-st={standing.status}>
                    <Glyph status={standing.status} />
                    {shown.explanation ? standing.text : '…'}
                  </span>
                </td>
                <td class="mono">{place.cell.desired?.tag ?? '–'}</td>
                <td class="mono">{place.cell.running.map((one) => (place.cell.running.length > 1 ? `${one.tag} ×${one.targets}` : one.tag)).join(', ') || '–'}</td>
                <td class="right num">
                  {place.cell.done} / {place.cell.targets}
                </td>
                <td title={holds.map((one) => one.text).join(' ')}>
                  {holds.map((one, index) => (
                    <span key={one.key}>
                      {index ? ', ' : ''}
                      {one.title.toLowerCase()}
                      {one.until ? (
                        <>
                          {' '}
                          <Countdown until={one.until} small />
                        </>
                      ) : null}
                    </span>
                  ))}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
