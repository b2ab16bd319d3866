/** The variables of a resource. */
import { useQuery } from '../../api/useQuery.ts'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { yaml } from '../../parts/yaml.ts'
import { workspaceId } from '../../api/client.ts'

export function Variables({ identifier }: { identifier: string }) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/resources/identifier/{identifier}/variables', { path: { identifier }, query: { limit: 1000 }, topics: ['resources'] })
  const found = asked.data.value
  if (asked.error.value) return <ErrorCard error={asked.error.value} what="Its variables could not be read." retry={asked.reload} />
  if (!found) return asked.slow.value ? <div class="pad"><Skeleton lines={3} /></div> : null
  if (!found.items.length) {
    const command = `curl -X PATCH ${location.origin}/api/v1/workspaces/${workspaceId.value}/resources/identifier/${encodeURIComponent(identifier)}/variables \\
  -H "X-API-Key: $SIGNALBOX_API_KEY" -H 'Content-Type: application/json' -d '{"REPLICAS": 3}'`
    return (
      <Empty title="No variables" command={command}>
        <p>Variables of a resource go into every release to it. This sets one:</p>
      </Empty>
    )
  }
  return (
    <div class="scroll-x">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {found.items.map((one) => (
            <tr key={one.key}>
              <th scope="row">{one.key}</th>
              <td>
                <code class="value">{yaml(plain(one.value))}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** A value without its wrapping: objects and lists are kept as `{"object": …}`. */
function plain(value: unknown): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  return keys.length === 1 && keys[0] === 'object' ? (value as { object: unknown }).object : value
}
