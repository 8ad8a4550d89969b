// The keyboard in lists.
