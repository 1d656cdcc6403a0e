import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../../host/demo/screen.js';

class Paper {
  columns = 80;
  rows = 3;
  text = '';
  write(text: string): void {
    this.text += text;
  }
  /** What was written since the last call. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

function opened(): { paper: Paper; screen: Screen } {
  const paper = new Paper();
  const screen = new Screen(paper);
  screen.enter();
  paper.take();
  return { paper, screen };
}

test('a second drawing writes only the lines that have changed, and never clears the screen', () => {
  const { paper, screen } = opened();
  screen.draw(['one', 'two', 'three']);
  paper.take();
  screen.draw(['one', 'TWO', 'three']);
  const drawn = paper.take();
  assert.ok(drawn.includes('\u001b[2;1HTWO\u001b[K'));
  assert.doesNotMatch(drawn, /one|three/);
  assert.ok(!drawn.includes('\u001b[2J') && !drawn.includes('\u001b[J'));
});

test('nothing is written while nothing changes', () => {
  const { paper, screen } = opened();
  screen.draw(['one']);
  paper.take();
  screen.draw(['one']);
  assert.equal(paper.take(), '');
});

test('lines that are gone are wiped, lines beyond the last row are left out', () => {
  const { paper, screen } = opened();
  screen.draw(['one', 'two', 'three', 'four']);
  assert.doesNotMatch(paper.take(), /four/);
  screen.draw(['one']);
  assert.ok(paper.take().includes('\u001b[2;1H\u001b[J'));
});

test('after a change of size everything is drawn again', () => {
  const { paper, screen } = opened();
  screen.draw(['one', 'two']);
  paper.take();
  paper.columns = 60;
  screen.draw(['one', 'two']);
  assert.match(paper.take(), /one.*two/s);
});

test('leaving shows the cursor and the ordinary screen, once', () => {
  const { paper, screen } = opened();
  screen.leave();
  assert.match(paper.take(), /\[\?25h.*\[\?1049l$/s);
  screen.leave();
  screen.draw(['late']);
  assert.equal(paper.take(), '');
});
