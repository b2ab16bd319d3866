/** What the variables came to in the release that is wanted, and where they differ from the one that runs. */
import type { Release, TargetState } from '../../api/schema'
import { Card } from '../../parts/base.tsx'

export function Variables({ state }: { state: TargetState }) {
  const wanted = state.desiredRelease ?? state.currentRelease
  if (!wanted) return null
  const now = state.currentRelease?.id === wanted.id ? null : state.currentRelease
  const keys = [...new Set([...Object.keys(wanted.variables), ...Object.keys(now?.variables ?? {})])].sort()
  return (
    <Card title="Variables" note={wanted.version.tag}>
      {keys.length ? (
        <div class="scroll-x">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">Resolved to</th>
                {now ? <th scope="col">Runs with</th> : null}
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                  </th>
                  <td>
                    <Value release={wanted} name={key} />
                  </td>
                  {now ? (
                    <td>
                      <Value release={now} name={key} />
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p class="in quiet">No variable of the deployment has a value here.</p>
      )}
    </Card>
  )
}

function Value({ release, name }: { release: Release; name: string }) {
  const variables = release.variables as Record<string, unknown>
  if (release.encryptedVariables.includes(name)) return <span class="quiet">secret</span>
  if (!(name in variables)) return <span class="quiet">not set</span>
  const value = variables[name]
  return <code class="value">{typeof value === 'string' ? value : JSON.stringify(value)}</code>
}
