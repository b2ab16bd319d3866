/** The address leads nowhere: there is no such page, or no such workspace for whoever asks. */
import { Empty } from '../parts/say.tsx'
import { href, slug } from '../router/location.ts'
import { workspace } from '../session.ts'

export default function Lost() {
  if (workspace.value) {
    return (
      <Empty page title="There is no such page">
        <p>
          The address may be mistyped, or from another version. <a href={href('overview')}>Go to the overview</a>.
        </p>
      </Empty>
    )
  }
  return (
    <Empty page title="There is no such workspace, or not for you">
      <p>
        The address names <code>{slug.value}</code>. Choose another one at the top left, or{' '}
        <a href={href('home', {}, { at: null })}>go to the first of yours</a>.
      </p>
    </Empty>
  )
}
