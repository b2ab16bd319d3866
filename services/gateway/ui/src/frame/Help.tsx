/** The key sheet: what works everywhere, and what works on this page. */
import { Keys } from '../parts/base.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { type KeyAction, allGlobalKeys, pageKeys } from './keys.ts'
import { helpOpen } from './overlays.ts'

export default function Help() {
  return (
    <Dialog title="Keys" wide onClose={() => (helpOpen.value = false)}>
      <div class="key-sheet">
        {pageKeys.value.length ? <Section title="On this page" actions={pageKeys.value} /> : null}
        <Section title="Everywhere" actions={allGlobalKeys()} />
      </div>
    </Dialog>
  )
}

function Section({ title, actions }: { title: string; actions: readonly KeyAction[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {actions.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <Keys keys={key} />
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
