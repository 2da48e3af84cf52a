import type { Answer, AnswerTo, Ask, Frame } from './frames.ts'
import type { Link } from './link.ts'

/** How long an answer may take, in milliseconds. */
const answerTime = 20_000

type Question<En extends Ask['en']> = Omit<Extract<Ask, { en: En }>, 'n'> & { en: En }

interface Asked {
  n: number
  en: Answer['en']
  settle(answer: Answer | undefined): void
}

/** Asks the node at the other end of a link, one question at a time. */
export class Questions {
  readonly #link: Link
  readonly #send: (frame: Frame) => void
  #asked: Asked | undefined
  #counter = 0

  constructor(link: Link, send: (frame: Frame) => void) {
    this.#link = link
    this.#send = send
  }

  /** @returns the answer, or nothing when none came in time or the link ended */
  ask<En extends Ask['en']>(question: Question<En>): Promise<AnswerTo<En> | undefined> {
    if (this.#link.closed) return Promise.resolve(undefined)
    const n = ++this.#counter
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined): void => {
        clearTimeout(timer)
        this.#asked = undefined
        resolve(answer as AnswerTo<En> | undefined)
      }
      const timer = setTimeout(() => settle(undefined), answerTime)
      this.#asked = { n, en: question.en.slice(0, -1) as Answer['en'], settle }
      this.#send({ ...question, n } as unknown as Ask)
    })
  }

  answered(answer: Answer): void {
    if (this.#asked?.n === answer.n && this.#asked.en === answer.en) this.#asked.settle(answer)
    else this.#link.refuse(answer.n <= this.#counter ? 'late_answer' : 'answer')
  }

  close(): void {
    this.#asked?.settle(undefined)
  }
}
