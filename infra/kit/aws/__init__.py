"""AWS: a Fargate task with an EFS file system at /app/data, behind API Gateway."""
