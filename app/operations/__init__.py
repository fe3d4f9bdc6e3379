"""What runs the app and looks after it: the server, the doctor, the control socket and the commands."""
