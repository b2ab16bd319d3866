/** Providers: who tells of resources. */
import { useQuery } from '../../api/useQuery.ts'
import { Time } from '../../parts/base.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { commandFor } from './commands.ts'

const MOST = 200

export function Providers() {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/board/providers', { query: { limit: MOST }, topics: ['resources'] })
  const page = asked.data.value
  return (
    <>
      <div class="head">
        <h1>Providers</h1>
        <p>A provider keeps a set of resources up to date: what it no longer tells of is deleted. A sync that changes nothing leaves no trace here.</p>
      </div>
      {asked.error.value ? <ErrorCard error={asked.error.value} what="The providers:" retry={asked.reload} /> : null}
      {!page ? (
        asked.error.value ? null : <Skeleton lines={4} />
      ) : page.items.length ? (
        <div class="card scroll-x" role="region" aria-label="Providers" tabIndex={0}>
          <table class="table" aria-label="Providers">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col" class="right">
                  Resources
                </th>
                <th scope="col">Last changed one</th>
                <th scope="col" class="only-wide">
                  Known since
                </th>
              </tr>
            </thead>
            <tbody>
              {page.items.map((one) => (
                <tr key={one.id}>
                  <th scope="row">{one.name}</th>
                  <td class="right num">{one.resources.toLocaleString('en')}</td>
                  <td>{one.changedAt ? <Time at={one.changedAt} ago /> : <span class="quiet">it owns none</span>}</td>
                  <td class="only-wide">
                    <Time at={one.createdAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty title="No provider yet" command={commandFor('provider')}>
          <p>A provider appears here with how many resources it owns. Syncers register themselves; this command does it by hand:</p>
        </Empty>
      )}
      {page && page.total > page.items.length ? <p class="quiet">The newest {page.items.length} of {page.total.toLocaleString('en')} providers.</p> : null}
    </>
  )
}
