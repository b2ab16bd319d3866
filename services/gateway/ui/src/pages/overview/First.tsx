/** There is no deployment yet: what will be here, and how to get there. */
import { Empty } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'
import { workspace } from '../../session.ts'

export default function First() {
  const slug = workspace.value?.slug ?? 'default'
  return (
    <Empty page title="Nothing is deployed from here yet" command={`curl -H "X-API-Key: $SIGNALBOX_API_KEY" ${location.origin}/api/v1/workspaces/slug/${slug}`}>
      <p>
        This page will show what runs where: a row for each deployment, a column for each environment, and in each cell the version and why it waits.
      </p>
      <p>
        <a href={href('start')}>Follow the first-run guide</a>: it takes you from here to a deployed version. The command below shows that your key works.
      </p>
    </Empty>
  )
}
