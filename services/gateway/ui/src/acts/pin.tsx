/** Pin a target, or all targets of a rollout, to one version: which is chosen in the dialog, which says what follows from it. */
import { signal } from '@preact/signals'
import { confirm } from '../parts/Dialog.tsx'
import { toast } from '../parts/say.tsx'
import { Choice } from './skip.tsx'

/** A version that may be chosen. */
export interface Tagged {
  versionId: string
  tag: string
}

export interface Pinned {
  /** What is pinned: `api in production`, `prod-eu-1`. */
  what: string
  choices: readonly Tagged[]
  /** What runs there, which is offered first. */
  running: string | undefined
  /** What follows from pinning to a version of this tag. */
  words(tag: string): string
  send(versionId: string, reason: string, key: string): Promise<unknown>
}

export function askPin({ what, choices, running, words, send }: Pinned): void {
  const chosen = signal(Math.max(0, choices.findIndex((one) => one.versionId === running)))
  const Words = () => <>{words(choices[chosen.value]?.tag ?? '')}</>
  confirm({
    title: `Pin ${what} to a version?`,
    consequence: <Words />,
    more: <Choice label="Version" value={chosen} options={choices.map((one) => one.tag)} />,
    verb: 'Pin',
    reason: 'required',
    act: async ({ reason, key }) => {
      const to = choices[chosen.peek()]
      if (!to) return
      await send(to.versionId, reason, key)
      toast('healthy', `${what} is pinned to ${to.tag}.`)
    },
  })
}

export interface Unpinned {
  what: string
  /** What follows from it. */
  words: string
  send(key: string): Promise<unknown>
}

export function askUnpin({ what, words, send }: Unpinned): void {
  confirm({
    title: `Release the pin of ${what}?`,
    consequence: words,
    verb: 'Release the pin',
    act: async ({ key }) => {
      await send(key)
      toast('healthy', `The pin of ${what} is released.`)
    },
  })
}
