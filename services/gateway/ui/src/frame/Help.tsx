/** The key sheet: what works everywhere, and what works on this page. */
import { Keys } from '../parts/base.tsx'
import { Dialog } from '../parts/Dialog.tsx'
import { type KeyAction, allGlobalKeys, pageKeys, works } from './keys.ts'
import { Letters } from './Letters.tsx'
import { helpOpen } from './overlays.ts'

export default function Help() {
  return (
    <Dialog title="Keys" wide onClose={() => (helpOpen.value = false)}>
      <Letters />
      <div class="key-sheet">
        <Section title="On this page" actions={pageKeys.value} />
        <Section title="Everywhere" actions={allGlobalKeys()} />
      </div>
    </Dialog>
  )
}

/** Only keys that work are told of. */
function Section({ title, actions }: { title: string; actions: readonly KeyAction[] }) {
  const working = actions.filter(({ key }) => works(key))
  if (!working.length) return null
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {working.map(({ key, does }) => (
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
