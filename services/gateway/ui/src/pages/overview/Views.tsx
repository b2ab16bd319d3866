/** Views: filters that somebody gave a name. The menu of them beside the filter, and what names, renames and deletes them. */
import { useSignal } from '@preact/signals'
import { useId, useRef } from 'preact/hooks'
import { Icon } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { Dialog } from '../../parts/Dialog.tsx'
import { Menu } from '../../parts/Menu.tsx'
import { Empty, toast } from '../../parts/say.tsx'
import { setQuery } from '../../router/location.ts'
import { save, saved } from './saved.ts'
import { type View, LONGEST, changed, refusal, viewOf } from './views.ts'
import './views.css'

export function Views({ text }: { text: string }) {
  const open = useSignal<'' | 'save' | 'change'>('')
  const close = () => (open.value = '')
  const views = saved.value
  const shown = viewOf(views, text)
  return (
    <>
      <Menu
        label={shown ? `View: ${shown.name}` : 'Views'}
        class="btn views"
        items={[
          ...views.map((one) => ({
            label: one.name,
            hint: one.filter,
            checked: one === shown,
            onPick: () => setQuery({ q: one.filter }, { replace: false }),
          })),
          views.length ? null : undefined,
          {
            label: 'Name this filter…',
            icon: <Icon name="plus" />,
            off: shown ? `It is the view “${shown.name}”.` : text.trim() ? '' : 'Nothing is filtered: type a filter first.',
            onPick: () => (open.value = 'save'),
          },
          { label: views.length ? 'Rename or delete views…' : 'What views are…', icon: <Icon name={views.length ? 'edit' : 'help'} />, onPick: () => (open.value = 'change') },
        ].filter((one) => one !== undefined)}
      >
        <span class="cut">{shown?.name ?? 'Views'}</span>
        <Icon name="down" />
      </Menu>
      {open.value === 'save' ? <Save filter={text} onClose={close} /> : null}
      {open.value === 'change' ? <Change onClose={close} /> : null}
    </>
  )
}

function Save({ filter, onClose }: { filter: string; onClose(): void }) {
  const name = useSignal('')
  const wrong = useSignal('')
  const id = useId()
  const go = (event: Event) => {
    event.preventDefault()
    wrong.value = refusal(saved.peek(), name.peek())
    if (wrong.peek()) return
    save(changed(saved.peek(), { name: name.peek(), filter }))
    toast('healthy', `Kept as the view “${name.peek().trim()}”.`)
    onClose()
  }
  return (
    <Dialog title="Name this filter" onClose={onClose}>
      <form onSubmit={go} noValidate>
        <p class="consequence">
          <code>{filter}</code>
        </p>
        <div class="labelled">
          <label for={id}>Name of the view</label>
          <input
            id={id}
            class="field"
            value={name}
            maxLength={LONGEST}
            autocomplete="off"
            autofocus
            aria-invalid={wrong.value ? 'true' : undefined}
            aria-describedby={wrong.value ? `${id}-wrong` : undefined}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
          {wrong.value ? (
            <small id={`${id}-wrong`} class="wrong" role="alert">
              {wrong.value}
            </small>
          ) : null}
          <small>This browser keeps it for this workspace. To show it to somebody else, send the address of the page.</small>
        </div>
        <div class="foot">
          <Button onPress={onClose}>Cancel</Button>
          <button type="submit" class="btn primary">
            Keep the view
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function Change({ onClose }: { onClose(): void }) {
  const gone = useSignal<View | null>(null)
  const undo = useRef<HTMLParagraphElement>(null)
  const remove = (one: View) => {
    save(changed(saved.peek(), null, one))
    gone.value = one
    // The button that was pressed is gone with its view.
    requestAnimationFrame(() => undo.current?.querySelector('button')?.focus())
  }
  const back = () => {
    const one = gone.peek()
    gone.value = null
    if (one && !refusal(saved.peek(), one.name)) save(changed(saved.peek(), one))
    requestAnimationFrame(() => document.querySelector<HTMLElement>('.view-list input')?.focus())
  }
  return (
    <Dialog title="Views" wide onClose={onClose}>
      {saved.value.length ? (
        <ul class="view-list">
          {saved.value.map((one) => (
            <Row key={`${one.name} ${one.filter}`} one={one} onDelete={() => remove(one)} />
          ))}
        </ul>
      ) : (
        <Empty title="No views yet">
          <p>
            A view is a filter with a name, for what you look at again and again: type a filter such as <code>status:blocked env:prod-*</code>, then choose
            “Name this filter”. Views are in this menu and in the search (Ctrl K).
          </p>
        </Empty>
      )}
      {gone.value ? (
        <p ref={undo} class="gone" role="status">
          “{gone.value.name}” is deleted.
          <Button small onPress={back}>
            Undo
          </Button>
        </p>
      ) : null}
      <div class="foot">
        <Button onPress={onClose}>Close</Button>
      </div>
    </Dialog>
  )
}

function Row({ one, onDelete }: { one: View; onDelete(): void }) {
  const wrong = useSignal('')
  const id = useId()
  const rename = (name: string) => {
    wrong.value = refusal(saved.peek(), name, one)
    if (!wrong.peek() && name.trim() !== one.name) save(changed(saved.peek(), { ...one, name }, one))
  }
  return (
    <li>
      <div class="labelled">
        <input
          class="field"
          aria-label={`Name of the view ${one.name}`}
          defaultValue={one.name}
          maxLength={LONGEST}
          autocomplete="off"
          aria-invalid={wrong.value ? 'true' : undefined}
          aria-describedby={wrong.value ? id : undefined}
          onChange={(event) => rename(event.currentTarget.value)}
        />
        {wrong.value ? (
          <small id={id} class="wrong" role="alert">
            {wrong.value}
          </small>
        ) : null}
      </div>
      <code class="cut" title={one.filter}>
        {one.filter}
      </code>
      <Button small kind="danger" onPress={onDelete}>
        Delete<span class="sr"> {one.name}</span>
      </Button>
    </li>
  )
}
