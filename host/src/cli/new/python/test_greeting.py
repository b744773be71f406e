import unittest

from greeting import answer


class Answer(unittest.TestCase):
    def test_whom_the_body_names_is_greeted(self):
        self.assertEqual(answer(b'{"name": "Ada"}'), (200, "Hello Ada!"))
        self.assertEqual(answer(b"{}"), (200, "Hello World!"))

    def test_what_is_no_json_is_refused(self):
        self.assertEqual(answer(b"no JSON")[0], 400)
