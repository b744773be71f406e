import unittest

from greeting import answer


class Answer(unittest.TestCase):
    def test_whom_the_body_names_is_greeted(self):
        self.assertEqual(answer(b'{"name": "Ada"}'), (200, "Hello Ada!"))
        self.assertEqual(answer(b"{}"), (200, "Hello World!"))
        self.assertEqual(answer(b'{"name": 0.0}'), (200, "Hello World!"))

    def test_a_name_that_is_no_string_is_greeted_as_it_is_written(self):
        self.assertEqual(answer(b'{"name": 7}'), (200, "Hello 7!"))
        self.assertEqual(answer(b'{"name": {"a": [true]}}'), (200, 'Hello {"a": [true]}!'))

    def test_what_is_no_json_is_refused(self):
        self.assertEqual(answer(b"no JSON")[0], 400)
        self.assertEqual(answer(b'{"name": "\xff"}')[0], 400)

    def test_what_is_nested_too_deep_is_refused(self):
        self.assertEqual(answer(b"[" * 200 + b"]" * 200), (200, "Hello World!"))
        self.assertEqual(answer(b"[" * 100000 + b"]" * 100000)[0], 400)
        self.assertEqual(answer(b'{"name": "' + b"[" * 1000 + b'"}')[0], 200)
